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
    /// Train a model from folders of good and bad mail. Nothing of the mail leaves this machine; the model has weights
    /// of hashed words that several senders use.
    Train(train::TrainArgs),
    /// Try a model on mail that it was not trained on: what it tags and holds of each folder, and the worst good mails.
    Evaluate(evaluate::EvaluateArgs),
    /// Whether mail has changed: compares what a model sees in two folders of mail, of before and after.
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
