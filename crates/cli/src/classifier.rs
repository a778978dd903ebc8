//! `reprieve classifier`: trains a model on a site's own mail, as a detection to publish; says how it does on other
//! mail, and whether mail has changed since.

mod drift;
mod evaluate;
mod mails;
mod shown;
mod train;
mod written;

use clap::Subcommand;

use super::CliError;

/// Verbs about classifiers of text.
#[derive(Debug, Subcommand)]
pub enum ClassifierVerb {
    /// Train a model from folders of good and bad mail. It runs on this machine alone; the model contains weights of
    /// hashed words that several senders use.
    Train(train::TrainArgs),
    /// Evaluate a model on other mail: what it tags and holds of each folder, and the good messages that score highest.
    Evaluate(evaluate::EvaluateArgs),
    /// Measure whether mail has changed: compare the features and scores of two folders, before and after.
    Drift(drift::DriftArgs),
}

/// Runs the verb.
///
/// # Errors
/// When there is too little to learn from, or a folder cannot be read or written.
pub fn run(verb: ClassifierVerb) -> Result<(), CliError> {
    match verb {
        ClassifierVerb::Train(args) => train::run(&args),
        ClassifierVerb::Evaluate(args) => evaluate::run(&args),
        ClassifierVerb::Drift(args) => drift::run(&args),
    }
}
