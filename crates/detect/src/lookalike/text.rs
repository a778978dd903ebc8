//! Texts: test strings that are quoted, notes that begin as programs do, tables.

use super::Specimen;

const PLAIN: &str = "text/plain";

/// The two test strings are put together here, so that no scanner finds them in this source.
fn eicar() -> String {
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat()
}

fn gtube() -> String {
    ["XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-", "ANTI-UBE-TEST-EMAIL*C.34X"].concat()
}

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [test_files(), test_mails(), programs(), tables()].concat()
}

fn test_files() -> Vec<Specimen> {
    let is = |name, file, text: String| Specimen::innocent(&["EIC-0001"], name, file, PLAIN, text.into_bytes());
    let whole = eicar();
    vec![
        is("a note that quotes EICAR's string", "note.txt", format!("The test file of EICAR is this line:\n{whole}\n")),
        is("a log of a scanner that quotes EICAR's string", "scan.log", format!("12:00 found in a.com: {whole}\n")),
        is("EICAR's string without its first letter", "cut.txt", whole.chars().skip(1).collect()),
        is("EICAR's string in small letters", "small.txt", whole.to_lowercase()),
        is(
            "a manual that begins with EICAR's string",
            "manual.txt",
            format!(
                "{whole}\n{}",
                "This line alone in a file is what every scanner finds; here it is a title.\n".repeat(4)
            ),
        ),
        is("EICAR's string in two lines", "two.txt", whole.replace("-ANTIVIRUS", "\n-ANTIVIRUS")),
    ]
}

fn test_mails() -> Vec<Specimen> {
    let is = |name, file, text: String| Specimen::innocent(&["GTB-0001"], name, file, PLAIN, text.into_bytes());
    let whole = gtube();
    vec![
        is(
            "a note on what GTUBE is",
            "gtube.txt",
            "GTUBE, the generic test for unsolicited bulk e-mail, is a line that every spam filter finds.\n".to_owned(),
        ),
        is("GTUBE's line without its last letter", "gtube-cut.txt", whole.chars().take(67).collect()),
        is("GTUBE's line in small letters", "gtube-small.txt", whole.to_lowercase()),
        is("GTUBE's line in two lines", "gtube-two.txt", whole.replace("-ANTI", "\n-ANTI")),
        is("GTUBE's line with blanks around its stars", "gtube-blanks.txt", whole.replace('*', " * ")),
    ]
}

fn programs() -> Vec<Specimen> {
    let is = |like, name, file, text: &str| Specimen::innocent(like, name, file, PLAIN, text.as_bytes().to_vec());
    const PROGRAM: &[&str] = &["EXE-0001", "EXE-0003"];
    vec![
        is(
            PROGRAM,
            "a note that begins with the letters MZ",
            "branches.txt",
            "MZ-Mainz: opens at nine.\nWI: at ten.\n",
        ),
        is(
            PROGRAM,
            "the bytes of a program in a dump",
            "dump.txt",
            "00000000  4d 5a 90 00 03 00 00 00  04 00 00 00 ff ff 00 00  |MZ..............|\n",
        ),
        is(
            PROGRAM,
            "a log of an installation",
            "setup.exe.log",
            "MSI (s) (A4:B8): Product: Example Tool -- Installation completed successfully.\nC:\\setup.exe ended: 0\n",
        ),
        is(PROGRAM, "a note that begins with ELF", "fairy.txt", "ELF and dwarf: a play for children in two acts.\n"),
        is(
            PROGRAM,
            "a text that begins as a class of Java is called",
            "coffee.txt",
            "CAFEBABE is the number with which a compiled class begins; this is the talk about it.\n",
        ),
    ]
}

fn tables() -> Vec<Specimen> {
    let is =
        |name, file, text: &str| Specimen::innocent(&["OFF-0006"], name, file, "text/csv", text.as_bytes().to_vec());
    vec![
        is("a table with sums", "sums.csv", "item;net;gross\npaper;10;=B2*1.19\nink;20;=B3*1.19\nsum;=SUM(B2:B3);\n"),
        is(
            "a table with telephone numbers and signs",
            "phones.csv",
            "name;phone;change\nAnna;+49 30 1234;-3\nBert;+43 1 5678;+2\nlist;@team;=\"007\"\n",
        ),
        is(
            "a table with links",
            "links.csv",
            "page;link\nhome;\"=HYPERLINK(\"\"https://www.example.com/\"\";\"\"home\"\")\"\n",
        ),
        is(
            "a table of commands that are only text",
            "commands.csv",
            "key;what it does\ncmd | more;shows a page at a time\npowershell;opens a prompt\ncalc;the calculator\n",
        ),
        is(
            "a table that asks a terminal for prices",
            "prices.csv",
            "paper;price\nExample AG;\"=BLP|M!'EXA GY Equity,[PX_LAST]'\"\nSample SE;\"=MT4|BID!EURUSD\"\n",
        ),
        is(
            "a table of a course on tables",
            "course.csv",
            "lesson;what is typed\n1;=SUM(A1:A9)\n2;type = and then a name|topic!item\n3;never =cmd and the like\n",
        ),
        is(
            "a table whose first column is called ID",
            "members.csv",
            "ID;NAME;E\n1;Anna;=A2+1\n2;Bert;=A3+1\nC;Y2;X1;K12\nE\n",
        ),
    ]
}
