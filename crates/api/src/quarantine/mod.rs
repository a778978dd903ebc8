//! The quarantine over HTTP. Names after Exchange's verbs where they exist. One verb a file: [`list`], [`show`],
//! [`read`] (somebody's mail), [`copy`] (to somebody else), [`close`] (to what lets a recipient in), [`request`] (what
//! recipients ask for), [`release`], [`settle`] (deny, delete).

pub mod close;
pub mod copy;
pub mod list;
pub mod read;
pub mod release;
pub mod request;
pub mod settle;
pub mod show;
