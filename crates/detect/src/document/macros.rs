//! Macros: VBA taken out of its compressed form (MS-OVBA 2.4.1), and what a source tells of itself.

use super::Look;
use crate::structure::Check;

/// Bytes of one decompressed module.
const SOURCE_BYTES_MAX: usize = 4 << 20;
/// Procedures that start by themselves.
const AUTOMATIC: [&str; 19] = [
    "autoopen",
    "auto_open",
    "autoexec",
    "autoclose",
    "auto_close",
    "autonew",
    "autoexit",
    "document_open",
    "document_close",
    "document_new",
    "document_contentcontrolonenter",
    "workbook_open",
    "workbook_activate",
    "workbook_beforeclose",
    "workbook_close",
    "presentation_open",
    "slideshowbegin",
    "inkpicture1_painted",
    "frame1_layout",
];
/// What reaches out of the document: it starts programs, loads from the net, writes into other processes.
const REACHES_OUT: [&str; 24] = [
    "wscript.shell",
    "shell.application",
    "shell(",
    "shell ",
    "shellexecute",
    "powershell",
    "cmd.exe",
    "cmd /c",
    "mshta",
    "rundll32",
    "regsvr32",
    "certutil",
    "bitsadmin",
    "urldownloadtofile",
    "msxml2.xmlhttp",
    "msxml2.serverxmlhttp",
    "winhttp.winhttprequest",
    "virtualalloc",
    "rtlmovememory",
    "createthread",
    "winmgmts",
    "win32_process",
    "callbyname",
    "macscript(",
];

/// Those of them that are a statement of the language and also a word of texts: in a string, and as the end of another
/// word, they are none.
const STATEMENTS: [&str; 2] = ["shell(", "shell "];

/// What the sources of a document are together.
pub(super) fn judge(look: &mut Look<'_, '_, '_>, sources: &[String]) {
    if sources.is_empty() {
        return;
    }
    let code: String = sources.iter().flat_map(|source| source.lines()).filter_map(statement).collect();
    let automatic = AUTOMATIC.iter().find(|name| {
        code.contains(&format!("sub {name}("))
            || code.contains(&format!("sub {name} ("))
            || code.contains(&format!("function {name}("))
    });
    let calls = without_strings(&code);
    let is_there = |word: &&str| if STATEMENTS.contains(word) { is_called(&calls, word) } else { code.contains(*word) };
    let reaches: Vec<&str> = REACHES_OUT.into_iter().filter(is_there).collect();
    look.add(Check::Macro, format!("{} modules, {} bytes of source", sources.len(), code.len()));
    match (automatic, reaches.is_empty()) {
        (Some(name), false) => {
            let reaches = reaches.iter().map(|word| word.trim()).collect::<Vec<_>>().join(", ");
            look.add(Check::MacroActs, format!("{name} starts by itself; it uses {reaches}"));
        }
        (Some(name), true) => look.add(Check::MacroAutomatic, format!("{name} starts by itself")),
        (None, _) => {}
    }
}

/// Code without what stands in its strings. A string ends with its line.
fn without_strings(code: &str) -> String {
    let outside = |line: &str| line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    code.lines().map(outside).collect::<Vec<_>>().join("\n")
}

/// Whether a word stands in code that is not the end of a longer one.
fn is_called(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// A line in lower case without its comment.
fn statement(line: &str) -> Option<String> {
    // A quote begins a comment unless it is in a string.
    let mut in_string = false;
    let end = line.char_indices().find(|(_, c)| {
        in_string ^= *c == '"';
        *c == '\'' && !in_string
    });
    let line = line[..end.map_or(line.len(), |(at, _)| at)].trim();
    if line.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("rem ")) {
        return None;
    }
    Some(format!("{}\n", line.to_lowercase()))
}

/// The source in a module's stream: its compressed form begins with the attributes that every module has.
pub(super) fn source(stream: &[u8]) -> Option<String> {
    // A chunk's flag byte without copies, then the word that no module begins without.
    let start = memchr::memmem::find(stream, b"\0Attribut")?.checked_sub(3)?;
    let bytes = decompress(stream.get(start..)?)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A compressed container: a signature, then chunks of 4,096 bytes each once they are unpacked.
fn decompress(container: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 1;
    if container.first() != Some(&1) {
        return None;
    }
    while let Some(header) = container.get(at..at + 2) {
        let header = u16::from_le_bytes([header[0], header[1]]);
        let size = usize::from(header & 0x0fff) + 3;
        let end = (at + size).min(container.len());
        let chunk = container.get(at + 2..end)?;
        if header & 0x8000 == 0 {
            out.extend_from_slice(chunk);
        } else {
            unpack_chunk(chunk, &mut out);
        }
        if out.len() > SOURCE_BYTES_MAX {
            break;
        }
        at += size;
    }
    Some(out)
}

/// Flag bytes, each for eight tokens: a byte, or a copy of what came out of this chunk before.
fn unpack_chunk(chunk: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut at = 0;
    while let Some(flags) = chunk.get(at) {
        at += 1;
        for bit in 0..8 {
            if flags >> bit & 1 == 0 {
                let Some(byte) = chunk.get(at) else { return };
                out.push(*byte);
                at += 1;
                continue;
            }
            let Some(token) = chunk.get(at..at + 2) else { return };
            let token = u16::from_le_bytes([token[0], token[1]]);
            at += 2;
            let done = out.len() - start;
            // How many bits the offset takes depends on how much came out.
            let bits = (usize::BITS - done.saturating_sub(1).leading_zeros()).clamp(4, 12);
            let length = usize::from(token & (0xffff >> bits)) + 3;
            let offset = usize::from(token >> (16 - bits)) + 1;
            let Some(from) = out.len().checked_sub(offset).filter(|from| *from >= start) else { return };
            for copied in from..from + length {
                let byte = out[copied];
                out.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_started_by_a_statement() {
        let starts = |code: &str| STATEMENTS.iter().any(|word| is_called(&without_strings(code), word));
        for code in
            ["shell \"calc\"", "x = shell(\"calc\")", "vba.shell \"a\"", "msgbox \"a\": shell b", "\"\"\"\": shell a"]
        {
            assert!(starts(code), "{code}");
        }
        for code in
            ["msgbox \"prices at shell and aral\"", "n = nutshell(12)", "my_shell 1", "msgbox \"\"\"shell \"\"\""]
        {
            assert!(!starts(code), "{code}");
        }
    }

    /// The example of MS-OVBA 3.2.3.
    #[test]
    fn the_example_of_the_specification() {
        let compressed = [
            0x01, 0x2f, 0xb0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66, 0x00, 0x70, 0x61, 0x67,
            0x68, 0x69, 0x6a, 0x01, 0x38, 0x08, 0x61, 0x6b, 0x6c, 0x00, 0x30, 0x6d, 0x6e, 0x6f, 0x70, 0x06, 0x71, 0x02,
            0x70, 0x04, 0x10, 0x72, 0x73, 0x74, 0x75, 0x76, 0x10, 0x77, 0x78, 0x79, 0x7a, 0x00, 0x3c,
        ];
        let plain = decompress(&compressed).expect("a container");
        assert_eq!(String::from_utf8_lossy(&plain), "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa");
    }

    #[test]
    fn damage_ends_and_nothing_more() {
        for bytes in [&[][..], &[1], &[1, 0xff], &[1, 0xff, 0xbf], &[1, 3, 0xb0, 0xff, 0xff, 0xff], &[0, 1, 2]] {
            drop(decompress(bytes));
        }
    }
}
