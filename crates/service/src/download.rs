//! What is not JSON: a file that is kept, or a page that is read.

/// The bytes of an answer, and what they are.
#[derive(Debug)]
pub struct Download {
    /// Their media type, with its charset where it has one.
    pub content_type: &'static str,
    /// What a file of them is called; none for what is read where it is.
    pub name: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}
