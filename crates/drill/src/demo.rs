//! `reprieve demo`: the whole product in one command, with nothing to install and no network.
//!
//! A gateway with embedded storage and a next hop of our own, mails of all three directions that our code composes,
//! what is delivered and what is held and why, one release; then the story: a wrong detection is forced into force, the
//! past shows it faulty, what it held is taken back, and the malware of the same hour stays. At the end, the ledger.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api_types::incident::{IncidentRow, IncidentView};
use api_types::ledger::{LedgerQuery, LedgerView};
use api_types::memory::{ImportAsk, ImportQuery, ImportView, MemoryView};
use api_types::message::{TraceQuery, TraceView};
use api_types::person::{InviteAsk, PersonView};
use api_types::quarantine::{HeldView, ListQuery, ReleaseAsk, ReleasedView, ShownView};
use api_types::ruleset::{PublishAsk, RollbackAsk, RolloutView};
use api_types::sentinel::SentinelView;
use base64::Engine;
use clap::Args;
use domain::ledger::Account;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use cli::client::Client;
use cli::compose::Mail;
use cli::feed::{self, Letter};
use cli::service::{Running, Start, Tasks};
use cli::{CliError, ledger, quarantine, serve, terminal};
use platform::clock::{Clock, SystemClock};
use platform::config::{Config, Role};
use platform::kept::Kept;

use crate::library;
use crate::sink::Sink;

/// How to show it.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Exit at the end; exit 0 only if every step succeeded.
    #[arg(long)]
    exit: bool,
    /// Write the steps as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// One step of the story.
struct StoryStep {
    name: &'static str,
    ok: bool,
    detail: String,
}

/// Tells the story.
///
/// # Errors
/// When a step does not hold, or something cannot be opened.
pub async fn run(args: DemoArgs, start: Start) -> Result<(), CliError> {
    serve::start_log("error", false)?;
    let folder = temporary_folder("demo")?;
    let told = tell(&folder.0, start).await?;
    let balanced = told.steps.iter().any(|step| step.name == "ledger" && step.ok);
    let ok = told.steps.iter().all(|step| step.ok);
    if let Some(path) = &args.json {
        let steps: Vec<Value> =
            told.steps.iter().map(|s| json!({ "name": s.name, "ok": s.ok, "detail": s.detail })).collect();
        let api = format!("http://{}", told.running.api);
        let report = json!({ "steps": steps, "ledger_balanced": balanced, "api": api, "socket": told.running.socket });
        std::fs::write(path, format!("{report}\n"))
            .map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))?;
    }
    if !args.exit {
        stay(&told.running, &folder.0).await;
    }
    told.running.stop().await;
    if ok { Ok(()) } else { Err(CliError::No) }
}

async fn stay(running: &Running, folder: &Path) {
    let config = folder.join("demo.toml");
    terminal::line("\nThe demo keeps running.");
    match invited(running).await {
        Ok(link) => {
            terminal::line("Console, in a browser on this host (the link works once; choose a password):");
            terminal::line(&format!("  {link}"));
        }
        Err(error) => terminal::complain(&format!("no link to the console: {error:?}")),
    }
    terminal::line("In another terminal:");
    terminal::line(&format!("  reprieve quarantine list --config {}", config.display()));
    terminal::line(&format!("  curl --unix-socket {} http://localhost/api/v1/quarantine", running.socket.display()));
    for (role, address) in &running.listeners {
        terminal::line(&format!("  SMTP ({}) at {address}", role.as_str()));
    }
    terminal::line("Ctrl-C ends the demo and removes its data.");
    // Without the signal the demo would stay for ever, which is what was asked for.
    let _ = tokio::signal::ctrl_c().await;
}

/// A link to the console for an administrator.
async fn invited(running: &Running) -> Result<String, CliError> {
    let client = Client::at_socket(running.socket.clone());
    let ask = InviteAsk { name: "you".into(), role: "admin".into(), ..InviteAsk::default() };
    let made = client.post::<PersonView>("/api/v1/people", &ask).await?.view()?;
    let secret = made.invitation.unwrap_or_default();
    Ok(format!("http://{}/welcome#{secret}", running.api))
}

struct StoryTold {
    steps: Vec<StoryStep>,
    running: Running,
}

async fn tell(folder: &Path, start: Start) -> Result<StoryTold, CliError> {
    let sink = Sink::start().await.map_err(CliError::unreachable)?;
    let running = started(folder, &sink, start).await?;
    let client = Client::at_socket(running.socket.clone());
    let mut steps = Vec::new();
    let mut note = |name, ok, detail: String| {
        let mark = if ok { terminal::coloured("ok", 32) } else { terminal::coloured("NOT OK", 31) };
        terminal::line(&format!("== {name}: {detail} [{mark}]"));
        steps.push(StoryStep { name, ok, detail });
    };
    let letters = letters();
    let wanted = letters.len();
    let held_wanted = letters.iter().filter(|(_, _, held)| *held).count();
    terminal::line("Gateway, store and mailbox server are running. Sending messages in all three directions:");
    let accepted = send(&running, &letters).await?;
    note("send", accepted == wanted, format!("{accepted} of {wanted} messages answered 250"));
    settle(&client).await?;
    terminal::line("\nTheir verdicts:");
    show_all(&client, &letters).await?;
    let delivered = sink.arrived().len();
    note(
        "deliver",
        delivered == wanted - held_wanted,
        format!("{delivered} messages reached the mailbox server, pictures included"),
    );
    let held = client.get::<Vec<HeldView>>("/api/v1/quarantine").await?.view()?;
    terminal::line("\nIn the quarantine:");
    terminal::line(&quarantine::listed(&held));
    let count = held.len();
    note("hold", count == held_wanted, format!("{count} messages are held, each with its reason"));
    let (ok, detail) = release(&client, &sink, &held, &letters).await?;
    note("release", ok, detail);
    let mut story =
        Story { client: &client, running: &running, sink: &sink, folder, held_before: count, wrong: Vec::new() };
    let (ok, detail) = story.remember().await?;
    note("memory", ok, detail);
    let (ok, detail) = story.mistake().await?;
    note("mistake", ok, detail);
    let (ok, detail) = story.contained().await?;
    note("contain", ok, detail);
    let (ok, detail) = story.status().await?;
    note("status", ok, detail);
    let (ok, detail) = story.correct().await?;
    note("correct", ok, detail);
    let (ok, detail) = story.replayed().await?;
    note("replay", ok, detail);
    let ledger = client.get_with::<LedgerView>("/api/v1/ledger", &LedgerQuery { deep: true }).await?.view()?;
    terminal::line("\nLedger:");
    terminal::line(&ledger::shown(&ledger));
    note("ledger", ledger.balanced, format!("{} accepted deliveries, each in exactly one account", ledger.accepted));
    Ok(StoryTold { steps, running })
}

async fn started(folder: &Path, sink: &Sink, start: Start) -> Result<Running, CliError> {
    let text = format!(
        "data_dir = \"data\"\nhostname = \"gateway.demo.example\"\nmode = \"enforce\"\naccepted_domains = \
            [\"ours.example\"]\n\
         trusted_networks = [\"127.0.0.1\"]\n[[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"mx\"\nxclient_from = \
         [\"127.0.0.1\"]\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"submission\"\n[next_hop.inbound]\naddress \
         = \"{}\"\n[api]\naddress = \"127.0.0.1:0\"\n\
         [engine.auth]\non = false\n[notices]\noutbound = false\nincident_digest = false\n\
         [sentinel]\ntrust_from = true\ntrust_weak_memory = true\nestablished_mails = 3\nestablished_days = \
         7\nestablished_answers = 0\n",
        sink.address
    );
    std::fs::write(folder.join("demo.toml"), &text).map_err(CliError::unreachable)?;
    let config = Config::load(&folder.join("demo.toml")).map_err(CliError::unreachable)?;
    start(config, Kept::default(), Arc::new(SystemClock), Tasks::ByThemselves).await.map_err(CliError::Unreachable)
}

/// Sends the letters, each at the listener of its direction; returns how many were answered 250.
async fn send(running: &Running, letters: &[(Role, Letter, bool)]) -> Result<usize, CliError> {
    let mut accepted = 0;
    for (role, address) in &running.listeners {
        let target = Arc::new(feed::target(&address.to_string()).await?);
        let own = letters.iter().filter(|(wanted, ..)| wanted == role).map(|(_, letter, _)| letter.clone()).collect();
        let direction = (*role == Role::Mx).then_some(feed::FeedDirection::Inbound);
        accepted += feed::send_all(target, own, direction, 1, None).await?.accepted;
    }
    Ok(usize::try_from(accepted).unwrap_or(usize::MAX))
}

/// Waits until every outcome is in the ledger: they are written right behind the answers.
async fn settle(client: &Client) -> Result<(), CliError> {
    for _ in 0..100 {
        let ledger = client.get::<LedgerView>("/api/v1/ledger").await?.view()?;
        if [Account::Forwarding, Account::Releasing].iter().all(|account| ledger::units(&ledger, *account) == 0) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn show_all(client: &Client, letters: &[(Role, Letter, bool)]) -> Result<(), CliError> {
    let mut rows = Vec::new();
    for (_, letter, _) in letters {
        let recipient = letter.recipients.first().map(ToString::to_string);
        let sender = letter.sender.as_ref().map(ToString::to_string);
        let query = TraceQuery { sender, recipient, ..TraceQuery::default() };
        let units = client.get_with::<Vec<TraceView>>("/api/v1/messages", &query).await?.view()?;
        for unit in units.into_iter().filter(|unit| letter.name == unit.subject) {
            let shown = terminal::coloured(&unit.account, if unit.account == "held" { 31 } else { 32 });
            rows.push(vec![unit.direction, unit.subject, unit.category, unit.disposition, shown]);
        }
    }
    terminal::line(&terminal::table(&["direction", "subject", "category", "disposition", "state"], &rows, 48));
    Ok(())
}

/// Releases the held archive, and looks at what the mailbox server got.
async fn release(
    client: &Client,
    sink: &Sink,
    held: &[HeldView],
    letters: &[(Role, Letter, bool)],
) -> Result<(bool, String), CliError> {
    let Some(HeldView { id, .. }) = held.iter().find(|held| held.subject == ARCHIVE_SUBJECT) else {
        return Ok((false, "the archive is not held".into()));
    };
    let shown = client.get::<ShownView>(&format!("/api/v1/quarantine/{id}")).await?.view()?;
    terminal::line("\nOne of them, explained and then released:");
    terminal::line(&quarantine::explained(&shown));
    let before = sink.arrived().len();
    let ask = ReleaseAsk { reason: "asked for by Bert".into(), actor: "demo".into(), ..ReleaseAsk::default() };
    client.post::<ReleasedView>(&format!("/api/v1/quarantine/{id}/release"), &ask).await?;
    for _ in 0..200 {
        if sink.arrived().len() > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    settle(client).await?;
    let original =
        letters.iter().find(|(_, letter, _)| letter.name == ARCHIVE_SUBJECT).map(|(_, letter, _)| letter.bytes.clone());
    let arrived = sink.arrived();
    let same = arrived.last().zip(original).is_some_and(|(mail, original)| mail.bytes.ends_with(&original));
    let ok = arrived.len() == before + 1 && same;
    Ok((ok, "the archive that Bert had asked for was delivered once, unchanged but for trace headers".into()))
}

/// The story of a mistake, from the forced publication to the last delivery.
struct Story<'s> {
    client: &'s Client,
    running: &'s Running,
    sink: &'s Sink,
    folder: &'s Path,
    held_before: usize,
    wrong: Vec<Letter>,
}

/// Whether a chapter held, and what there is to say of it.
type Chapter = (bool, String);

impl Story<'_> {
    /// A month of mail, imported from an archive.
    async fn remember(&self) -> Result<Chapter, CliError> {
        terminal::line("\nA month of mail is imported from an archive into the memory of known-good mail:");
        let mails = library::history();
        let (count, now) = (mails.len(), SystemClock.now());
        let step = Duration::from_secs(30 * 24 * 3600) / u32::try_from(count).unwrap_or(1);
        for (at, mail) in mails.into_iter().enumerate() {
            let received = now.before(step * u32::try_from(count - at).unwrap_or(1)).to_string();
            let query = ImportQuery { received, trust_from: true, correspond: true };
            self.client.post_mail::<ImportView>("/api/v1/memory/mails", &query, mail).await?;
        }
        let ask = ImportAsk { step: "end".into(), reason: "demo".into(), actor: "demo".into() };
        let memory = self.client.post::<MemoryView>("/api/v1/memory/imports", &ask).await?.view()?;
        terminal::line(&cli::memory::strength_text(&memory));
        let told = format!("{} known-good samples from {} senders", memory.eligible, memory.established);
        Ok((memory.eligible > 50, told))
    }

    /// Somebody forces a rule past the gates that hits every picture; mail of an hour comes.
    async fn mistake(&mut self) -> Result<Chapter, CliError> {
        terminal::line(
            "\nAn operator forces a faulty rule past the gates: it holds every picture. Mail continues in all three \
                directions:",
        );
        std::fs::write(self.folder.join("wrong.yar"), library::every_picture()).map_err(CliError::unreachable)?;
        let built = cli::ruleset::build_folder(self.client, &self.folder.join("wrong.yar")).await?;
        let path = format!("/api/v1/rulesets/{}/publish", built.id);
        let reason = "the vendor says so".into();
        let ask = PublishAsk { force: true, reason, actor: "demo".into(), ..PublishAsk::default() };
        self.client.post::<RolloutView>(&path, &ask).await?;
        self.until(|client| async move {
            let rollouts = client.get::<Vec<RolloutView>>("/api/v1/rollouts").await?.view()?;
            Ok(rollouts.first().is_some_and(|newest| newest.stage == "live"))
        })
        .await;
        let good = library::traffic().into_iter().take(40).map(|mail| (mail, true));
        let bad = library::bad(false).into_iter().take(5).map(|mail| (mail, false));
        for (mail, is_good) in good.chain(bad) {
            let letter = feed::addressed("story".into(), mail);
            let is_ours = letter.sender.as_ref().is_some_and(|sender| sender.domain() == "ours.example");
            let role = if is_ours { Role::Submission } else { Role::Mx };
            let Some((_, address)) = self.running.listeners.iter().find(|(one, _)| *one == role) else { continue };
            let target = Arc::new(feed::target(&address.to_string()).await?);
            let direction = (!is_ours).then_some(feed::FeedDirection::Inbound);
            let report = feed::send_all(target, vec![letter.clone()], direction, 1, None).await?;
            if is_good && report.accepted == 1 {
                self.wrong.push(letter);
            }
        }
        settle(self.client).await?;
        let query = ListQuery { status: Some("NotReleased".into()), limit: Some(1000), ..ListQuery::default() };
        let held = self.client.get_with::<Vec<HeldView>>("/api/v1/quarantine", &query).await?.view()?;
        let count = held.len().saturating_sub(self.held_before - 1);
        Ok((count > 5, format!("{count} messages are held, 5 of them real malware")))
    }

    /// The sentinel has tried it on what it knows to be good.
    async fn contained(&self) -> Result<Chapter, CliError> {
        self.until(|client| async move { Ok(newest(client).await?.is_some_and(|one| one.contained.is_some())) }).await;
        let sentinel = self.client.get::<SentinelView>("/api/v1/sentinel").await?.view()?;
        let Some(one) = sentinel.contained.first() else {
            return Ok((false, "nothing was contained".into()));
        };
        terminal::line(&format!("\nThe sentinel: {}", one.reason));
        let ok = one.level.as_deref() == Some("contained");
        Ok((ok, format!("{} was contained automatically at {}", one.detection, terminal::moment(&one.since))))
    }

    async fn status(&self) -> Result<Chapter, CliError> {
        let page = self.folder.join("data").join("status").join("index.html");
        self.until(|_| async { Ok(std::fs::read_to_string(&page).is_ok_and(|page| page.contains("INC-"))) }).await;
        let ok = std::fs::read_to_string(&page).is_ok_and(|page| page.contains("INC-"));
        Ok((ok, format!("published on the status page: http://{}/status/", self.running.api)))
    }

    async fn correct(&self) -> Result<Chapter, CliError> {
        terminal::line("\nThe rule is rolled back. What it held is re-examined (replay):");
        let reason = "it holds every picture".into();
        let ask = RollbackAsk { reason, actor: "demo".into(), what_if: false };
        let back = self.client.post::<RolloutView>("/api/v1/rollouts/rollback", &ask).await?.view()?;
        Ok((back.stage == "rolled-back", "the previous version is in force".into()))
    }

    /// Everything cleared has arrived once, byte for byte; the malware is still here.
    async fn replayed(&self) -> Result<Chapter, CliError> {
        self.until(|client| async move { Ok(newest(client).await?.is_some_and(|one| one.stage == "resolved")) }).await;
        let Some(IncidentRow { id, stage, progress, .. }) = newest(self.client).await? else {
            return Ok((false, "no incident".into()));
        };
        let shown = self.client.get::<IncidentView>(&format!("/api/v1/incidents/{id}")).await?.view()?;
        terminal::line(&cli::incident::show_text(&shown));
        let arrived = self.sink.arrived();
        let copies = |letter: &Letter| arrived.iter().filter(|mail| mail.bytes.ends_with(&letter.bytes)).count();
        let once = self.wrong.iter().filter(|letter| copies(letter) == 1).count();
        let ok = stage == "resolved" && once == self.wrong.len() && progress.upheld == 5;
        Ok((
            ok,
            format!(
                "{once} of {} good messages were delivered once, unchanged; {} with malware stay held; `reprieve \
                    incident report {id}` has the numbers",
                self.wrong.len(),
                progress.upheld
            ),
        ))
    }

    /// Waits until something is so, for half a minute.
    async fn until<'c, F: Future<Output = Result<bool, CliError>>>(&'c self, is_so: impl Fn(&'c Client) -> F) {
        for _ in 0..600 {
            if is_so(self.client).await.unwrap_or(false) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The newest incident.
async fn newest(client: &Client) -> Result<Option<IncidentRow>, CliError> {
    let incidents = client.get::<Vec<IncidentRow>>("/api/v1/incidents").await?.view()?;
    Ok(incidents.into_iter().next())
}

const ARCHIVE_SUBJECT: &str = "The tool you asked for";

/// The mails: listener, letter, whether it must be held.
fn letters() -> Vec<(Role, Letter, bool)> {
    let logo = picture(120, 48, ImageFormat::Png);
    let photo = picture(640, 480, ImageFormat::Jpeg);
    let program = program();
    let eicar = base64::engine::general_purpose::STANDARD
        .decode("WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=")
        .unwrap_or_default();
    let spam = ["XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"].concat();
    let partner = "anna@partner.example";
    let signed = |mail: Mail, text: &str| {
        mail.text(text).html(&format!("<p>{text}</p><p>Kind regards<br><img src=\"cid:logo\"></p>")).inline(
            "image001.png",
            "image/png",
            "logo",
            &logo,
        )
    };
    let (inbound, ours) = (Role::Mx, Role::Submission);
    vec![
        plan(inbound, partner, "bert@ours.example", "Meeting on Tuesday", false, |mail| {
            mail.text("Does ten o'clock suit you?\n")
        }),
        plan(inbound, partner, "bert@ours.example", "Re: Offer 4711", false, |mail| {
            signed(mail.field("In-Reply-To", "<4711@ours.example>"), "Thank you, we accept.\n")
        }),
        plan(inbound, partner, "carla@ours.example", "Fwd: Photos of the site", false, |mail| {
            signed(mail, "See the photos.\n").attach("site-1.jpg", "image/jpeg", &photo).attach(
                "site-2.jpg",
                "image/jpeg",
                &photo,
            )
        }),
        plan(ours, "bert@ours.example", "carla@ours.example", "Re: Holiday plan", false, |mail| {
            signed(mail, "Fine with me.\n")
        }),
        plan(ours, "bert@ours.example", partner, "Quarterly report", false, |mail| {
            signed(mail, "The figures are attached.\n").attach(
                "figures.zip",
                "application/zip",
                &zipped("figures.csv", b"a;b\n1;2\n"),
            )
        }),
        plan(inbound, "news@shop.example", "carla@ours.example", "Buy now", false, |mail| {
            mail.text(&format!("{spam}\n"))
        }),
        plan(inbound, "x@stranger.example", "bert@ours.example", "Invoice", true, |mail| {
            mail.text("Please pay.\n").attach("eicar.com", "application/octet-stream", &eicar)
        }),
        plan(inbound, "x@stranger.example", "carla@ours.example", "Your photo", true, |mail| {
            mail.text("Look!\n").attach("photo.jpg", "image/jpeg", &program)
        }),
        plan(inbound, partner, "bert@ours.example", ARCHIVE_SUBJECT, true, |mail| {
            signed(mail, "Here it is.\n").attach("tool.zip", "application/zip", &zipped("tool.exe", &program))
        }),
        plan(ours, "carla@ours.example", partner, "Setup", true, |mail| {
            mail.text("Run this.\n").attach("setup.exe", "application/octet-stream", &program)
        }),
    ]
}

fn plan(
    role: Role,
    from: &str,
    to: &str,
    subject: &str,
    held: bool,
    finish: impl FnOnce(Mail) -> Mail,
) -> (Role, Letter, bool) {
    let address = |text: &str| domain::Address::parse(text).expect("the demo's own addresses are valid");
    let id = domain::Digest::of(subject.as_bytes()).hex();
    let mail = Mail::new(from, to, subject).field("Message-ID", &format!("<{}@demo.example>", &id[..16]));
    let bytes = finish(mail).build();
    let letter = Letter { name: subject.to_owned(), sender: Some(address(from)), recipients: vec![address(to)], bytes };
    (role, letter, held)
}

/// A real picture: soft colours with a little texture, as a logo or a photo has.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let shade = |a: u32, b: u32| u8::try_from(a * 255 / b.max(1)).unwrap_or(255);
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb([shade(x, width), shade(y, height), shade((x * 7 + y * 3) % 64, 64)])
    });
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).expect("a picture of our own is written to memory");
    out.into_inner()
}

/// The head of a Windows program that does nothing: enough to be one by content.
fn program() -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    bytes
}

fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file(name, options).and_then(|()| Ok(writer.write_all(bytes)?)).expect("an archive in memory");
    writer.finish().expect("an archive in memory").into_inner()
}

/// A folder that is removed when its command ends.
pub struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Leaves it where it is.
    pub fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

/// A folder of its own for a command, private to the user.
///
/// # Errors
/// When it cannot be made.
pub fn temporary_folder(command: &str) -> Result<TemporaryFolder, CliError> {
    use std::os::unix::fs::DirBuilderExt;
    let id = platform::clock::Clock::mail_id(&SystemClock);
    let path = std::env::temp_dir().join(format!("reprieve-{command}-{id}"));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&path)
        .map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))?;
    Ok(TemporaryFolder(path))
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // What cannot be removed lies in the system's temporary folder.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
