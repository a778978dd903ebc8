//! What is made of the command line itself: completions for shells, and the manual page.

use clap_complete::Shell;

use crate::{CliError, terminal};

/// Prints completions for a shell.
pub fn completions(shell: Shell, mut command: clap::Command) {
    // Written as a whole: the generator panics when its reader goes away in the middle (`| head`).
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "reprieve", &mut script);
    terminal::bytes(&script);
}

/// Prints the manual page.
///
/// # Errors
/// When it cannot be made.
pub fn page(command: clap::Command) -> Result<(), CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(CliError::unreachable)?;
    terminal::bytes(&page);
    Ok(())
}
