//! Command lines as somebody would type them, for the help of each verb. A test reads each with the real parser.

use clap::Command;
use clap::builder::StyledStr;

/// The examples; each belongs to the verb that it begins with.
pub const EXAMPLES: &[&str] = &[
    "reprieve setup",
    "reprieve setup --hop 127.0.0.1:10025 --domain example.com --listen 127.0.0.1:10024 --admin anna --yes",
    "reprieve serve --config /etc/reprieve/reprieve.toml",
    "reprieve reload",
    "reprieve reload --yes --reason 'larger messages for accounting'",
    "reprieve scan --explain suspicious.eml",
    "reprieve scan --json --fail-on Phish ~/Maildir",
    "reprieve feed --to 127.0.0.1:10024 --rcpt me@example.com ~/Maildir",
    "reprieve feed --to 127.0.0.1:10024 --rate 50/s --sessions 8 archive.mbox",
    "reprieve quarantine list --category Malware --since -24h",
    "reprieve quarantine list --state released,denied --format csv",
    "reprieve quarantine show 01a2138d-dff8-74bb-b3b3-ded7ffdc467a",
    "reprieve quarantine export 01a2138d-dff8 -o mail.eml",
    "reprieve quarantine headers 01a2138d-dff8",
    "reprieve quarantine preview 01a2138d-dff8",
    "reprieve quarantine requests",
    "reprieve quarantine release 01a2138d-dff8 --wait --reason 'requested by Bert'",
    "reprieve quarantine release 01a2138d-dff8 --rcpt bert@example.com --what-if",
    "reprieve quarantine release - --reason 'false positives of IMG-0042'",
    "reprieve quarantine copy 01a2138d-dff8 --to lab@example.com --reason 'analysis, ticket 4711'",
    "reprieve quarantine close-portal bert@example.com --reason 'lost his phone'",
    "reprieve quarantine deny 01a2138d-dff8 --reason 'phishing'",
    "reprieve quarantine delete 01a2138d-dff8 --reason 'malware' --what-if",
    "reprieve quarantine recover 01a2138d-dff8 --reason 'deleted by mistake'",
    "reprieve retention clock",
    "reprieve retention confirm-clock --reason 'checked with the time server'",
    "reprieve retention recover --since -2h --what-if",
    "reprieve hold list --lifted",
    "reprieve hold add --mail 01a2138d-dff8 --reason 'evidence'",
    "reprieve hold add --query 'sender:*@partner.example received:>=2026-01-01' --reason 'audit'",
    "reprieve hold add --person anna@example.com --what-if",
    "reprieve hold lift 3 --reason 'settled'",
    "reprieve explore 'category:malware received:>=-24h sender:*@partner.example'",
    "reprieve explore 'state:held' --since 2026-11-01 --all --format csv",
    "reprieve explore 'category:phish' --since -7d --group-by from_domain",
    "reprieve message trace --recipient bert@example.com",
    "reprieve message trace --message-id '<1@partner.example>'",
    "reprieve message show 01a2138d-dff8",
    "reprieve ruleset lint rules/ --against ~/good-mail",
    "reprieve ruleset diff rules-old/ rules/",
    "reprieve ruleset build rules/ --what-if",
    "reprieve ruleset publish rules/ --reason 'campaign of this week' --wait",
    "reprieve ruleset publish campaign.yar --target text --add --reason 'ticket 4711'",
    "reprieve ruleset list",
    "reprieve ruleset show live",
    "reprieve ruleset status",
    "reprieve ruleset rollback --reason 'holds our invoices' --what-if",
    "reprieve classifier train --good ~/good --bad ~/junk --out models",
    "reprieve classifier train --category phish --good ~/good --bad ~/phish --allowed 0.002 --out models",
    "reprieve classifier evaluate --model models --good ~/later/inbox --bad ~/later/phish",
    "reprieve classifier drift --model models --before ~/inbox-2025 --after ~/inbox-2026",
    "reprieve detection list",
    "reprieve detection show IMG-0042",
    "reprieve detection enforce PHI-0001 --reason 'tested for a week'",
    "reprieve detection shadow IMG-0042 --reason 'holds our logo' --hours 24",
    "reprieve detection off SPM-0001 --reason 'rspamd does this' --hours 168",
    "reprieve detection own IMG-0042 --reason 'fixed'",
    "reprieve detection dry-run IMG-0042 --days 14",
    "reprieve detection pin EIC-0001 --reason 'test file'",
    "reprieve detection unpin EIC-0001 --reason 'no longer needed'",
    "reprieve detection engines",
    "reprieve entry list",
    "reprieve entry block sender boss@evil.example --reason 'fraud, ticket 4711'",
    "reprieve entry block url evil.example/login --hours 72 --reason 'phishing'",
    "reprieve entry allow domain partner.example --rcpt anna@example.com --reason 'newsletter she wants'",
    "reprieve entry block-like 01a2138d-dff8",
    "reprieve entry block-like 01a2138d-dff8 --pictures --text --reason 'parcel campaign'",
    "reprieve entry remove 7 --reason 'over'",
    "reprieve known-good status",
    "reprieve known-good rotate-key --reason 'yearly'",
    "reprieve incident list",
    "reprieve incident show INC-2026-0001",
    "reprieve incident open IMG-0042 --reason 'several complaints'",
    "reprieve incident update INC-2026-0001 --text 'cause found' --public --next-update 60",
    "reprieve incident contain INC-2026-0001 --reason 'holds our logo'",
    "reprieve incident replay INC-2026-0001 --reason 'rule corrected' --what-if",
    "reprieve incident replay INC-2026-0001 --reason 'rule corrected' --wait",
    "reprieve incident release INC-2026-0001",
    "reprieve incident resolve INC-2026-0001 --reason 'no false positive'",
    "reprieve incident report INC-2026-0001 --form html",
    "reprieve replay start INC-2026-0001 --reason 'rule corrected'",
    "reprieve replay status INC-2026-0001 --wait",
    "reprieve replay pause INC-2026-0001 --reason 'maintenance'",
    "reprieve replay resume INC-2026-0001 --reason 'maintenance over'",
    "reprieve replay retry INC-2026-0001 --reason 'clamd is back'",
    "reprieve replay cancel INC-2026-0001 --reason 'the detection was right'",
    "reprieve sentinel status",
    "reprieve sentinel explain IMG-0042",
    "reprieve alert list",
    "reprieve alert seen 7 --reason 'known campaign'",
    "reprieve alert choose 7 contain --reason 'holds our logo'",
    "reprieve notify test --recipient bert@example.com",
    "reprieve submission list",
    "reprieve submission add 01a2138d-dff8 --kind false-positive --reporter bert@example.com",
    "reprieve submission show 12",
    "reprieve submission export 12",
    "reprieve contain IMG-0042 --reason 'holds our logo' --hours 24",
    "reprieve release-containment IMG-0042 --reason 'corrected'",
    "reprieve memory status",
    "reprieve memory import --received-by mx.example.com --reason 'first day' /var/mail/archive",
    "reprieve status-page",
    "reprieve status-page --html",
    "reprieve ready",
    "reprieve bypassed",
    "reprieve ledger check",
    "reprieve ledger check --deep",
    "reprieve backup --to /var/lib/reprieve-backup/before-upgrade",
    "reprieve restore /var/lib/reprieve-backup/before-upgrade --verify",
    "reprieve restore /var/lib/reprieve-backup/before-upgrade --to /var/lib/reprieve",
    "reprieve audit list --from 1000",
    "reprieve audit prove --mail 01a2138d-dff8 > bundle.json",
    "reprieve audit check bundle.json",
    "reprieve audit erase 4711 --reason 'request of the person, Art. 17'",
    "reprieve audit verify",
    "reprieve events --follow --kind verdict",
    "reprieve events sinks",
    "reprieve person invite --name anna --role admin",
    "reprieve person invite --name bert --role analyst --domain example.com --console https://mail.example.com",
    "reprieve person list",
    "reprieve person recover anna --reason 'lost her phone'",
    "reprieve person disable bert --reason 'left the company'",
    "reprieve token create --name siem --role auditor --days 90",
    "reprieve token list",
    "reprieve token revoke 5f3a9c --reason 'leaked'",
    "reprieve config example > reprieve.toml",
    "reprieve config check",
    "reprieve config diff",
    "reprieve config policy",
    "reprieve doctor",
    "reprieve support-bundle -o bundle.tar.gz",
    "reprieve completions bash > /etc/bash_completion.d/reprieve",
    "reprieve man > reprieve.1",
    "reprieve drill --list",
    "reprieve drill signature-images --json report.json",
    "reprieve demo",
    "reprieve demo --exit",
];

/// A command whose verbs have their examples in their help.
pub(super) fn shown(command: Command) -> Command {
    let name = command.get_name().to_owned();
    below(command, &name)
}

/// The same for a command of this path, such as `reprieve quarantine`.
fn below(command: Command, path: &str) -> Command {
    let lines: Vec<String> =
        EXAMPLES.iter().filter(|line| is_of(line, path, &command)).map(|line| indented(line)).collect();
    let command = command.mut_subcommands(|verb| {
        let path = format!("{path} {}", verb.get_name());
        below(verb, &path)
    });
    if lines.is_empty() {
        return command;
    }
    let header = command.get_styles().get_header();
    let text = format!("{header}Examples:{header:#}\n{}", lines.join("\n"));
    command.after_help(StyledStr::from(text))
}

/// Whether an example is of the command with this path, and of none of its verbs.
fn is_of(line: &str, path: &str, command: &Command) -> bool {
    let Some(rest) = line.strip_prefix(path) else { return false };
    let mut words = rest.split(' ');
    // The path ends with a word.
    let is_whole = words.next() == Some("");
    is_whole && words.next().is_none_or(|word| command.get_subcommands().all(|verb| verb.get_name() != word))
}

fn indented(line: &str) -> String {
    format!("  {line}")
}
