//! Cabinets of Windows.

use std::io::Cursor;

use super::{Allowance, Closed, Member};

/// Opens a cabinet.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let damaged = |error: std::io::Error| Closed::NotAnalysed(format!("damaged cabinet: {error}"));
    let mut cabinet = cab::Cabinet::new(Cursor::new(bytes)).map_err(damaged)?;
    // The library takes it for granted that a folder has data.
    if cabinet.folder_entries().any(|folder| folder.num_data_blocks() == 0) {
        return Err(Closed::NotAnalysed("a cabinet with a folder without data".into()));
    }
    let names: Vec<String> = cabinet
        .folder_entries()
        .flat_map(|folder| folder.file_entries().map(|file| file.name().to_owned()).collect::<Vec<_>>())
        .collect();
    for name in names {
        allowance.entry()?;
        let file = cabinet.read_file(&name).map_err(damaged)?;
        let content = allowance.read(bytes.len() as u64, file)?;
        members.push(Member::new(name, content));
    }
    Ok(())
}
