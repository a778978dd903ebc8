//! What pages say: one file a language, in the format of Fluent (projectfluent.org). English says which messages there
//! are; a page names them by [`say!`], and one that names a message which is not there does not compile.
//!
//! | module | what it has |
//! |---|---|
//! | [`language`] | one language: its file, read and held against English |
//! | [`languages`] | all that are offered, and which one a browser asks for |
//! | [`reader`] | the language that the reader of the page in the making has |
//! | [`text`] | a text with its values, ready for a page |
//! | [`message`] | a type for each message |

pub mod language;
pub mod languages;
pub mod reader;
pub mod text;

pub use text::{Text, Value, word};

/// A type for each message, by its name with underscores; made of `languages/en.ftl`.
#[allow(non_camel_case_types, reason = "they are named as the messages")]
pub mod message {
    use crate::text::{Text, Value};

    include!(concat!(env!("OUT_DIR"), "/message.rs"));
}

/// The text of a message in the language of the reader: `say!(explorer_title)`, or with values `say!(bulk_found, count
/// = 3, query = html! { code { (q) } })`.
#[macro_export]
macro_rules! say {
    ($message:ident $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::message::$message { $($name: $crate::Value::from($value)),* }.text()
    };
}
