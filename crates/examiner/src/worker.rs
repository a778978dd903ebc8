//! The other side: a process that examines mail for a gateway, shut in (see [`super::sandbox`]). It has a socket as its
//! standard input, is told once what is in force, and then takes one mail after the other until the socket ends.

use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::preview::show;

use super::fault::Fault;
use super::frame::{self, Ask, Said, Task};
use super::sandbox::{self, SandboxError};

/// Bytes that are read at a time: a mail of the usual size, and its envelope.
const READ_BYTES: usize = 64 << 10;

/// Runs as an examining process, until the gateway has no more mail for it. `nice` is how far it stands back.
pub fn run(nice: i32) -> ExitCode {
    // Where it may not, it only stands back less.
    let _ = rustix::process::nice(nice);
    let own = sandbox::check_descriptors();
    let socket = match io::stdin().as_fd().try_clone_to_owned() {
        Ok(socket) => UnixStream::from(socket),
        Err(_) => return ExitCode::from(2),
    };
    match serve(socket, own) {
        Ok(()) => ExitCode::SUCCESS,
        // The gateway sees that the socket has ended, and says so.
        Err(_) => ExitCode::from(3),
    }
}

fn serve(mut socket: UnixStream, own: Result<(), SandboxError>) -> io::Result<()> {
    let given_up = own.and_then(|()| sandbox::give_up_rights()).map_err(|error| error.to_string());
    let Some(limits) = frame::read_json::<Limits>(&mut socket)? else { return Ok(()) };
    let Some(packed) = frame::read(&mut socket)? else { return Ok(()) };
    let in_force = match InForce::unpack(&packed) {
        Ok(in_force) => in_force,
        Err(error) => return frame::write_json(&mut socket, &Said::Unable(error.to_string())),
    };
    drop(packed);
    let mut examiner = warm(&in_force, &limits);
    let fault = Fault::from_environment();
    match given_up.and_then(|missing| sandbox::shut().map(|()| missing).map_err(|error| error.to_string())) {
        Ok(missing) => frame::write_json(&mut socket, &Said::Ready(missing))?,
        Err(error) => return frame::write_json(&mut socket, &Said::Unable(error)),
    }
    // A library that asks for more than the walls let through shows here, and not with the first mail.
    try_out(&mut examiner, &limits);
    frame::write_json(&mut socket, &Said::Tried)?;
    let mut incoming = BufReader::with_capacity(READ_BYTES, &socket);
    while let Some(task) = frame::read_json::<Task>(&mut incoming)? {
        let Some(raw) = frame::read(&mut incoming)? else { return Ok(()) };
        let budget = Budget::starting_now(task.time);
        let done = catch_unwind(AssertUnwindSafe(|| {
            fault.iter().for_each(|fault| fault.meet(&raw));
            match &task.ask {
                Ask::Examine(envelope) => Said::Found(Box::new(examiner.examine(&raw, envelope, budget))),
                Ask::Show(wish) => Said::Shown(show(&raw, *wish, budget)),
            }
        }));
        let said = match done {
            Ok(said) => said,
            Err(panic) => {
                // After a panic the scanners are made anew.
                examiner = Examiner::new(&in_force, limits.clone());
                Said::Panicked(message_of(panic.as_ref()))
            }
        };
        frame::write_json(&mut &socket, &said)?;
    }
    Ok(())
}

/// Scanners that have been used once: what they set up at first, a thread that counts seconds among it, is there before
/// the walls are.
fn warm<'f>(in_force: &'f InForce, limits: &Limits) -> Examiner<'f> {
    let mut examiner = Examiner::new(in_force, limits.clone());
    let mail = b"Subject: nothing\r\n\r\nnothing\r\n";
    let budget = Budget::starting_now(limits.time_max);
    // A rule that panics over nothing does so for every mail, and is told of then.
    let _ = catch_unwind(AssertUnwindSafe(|| examiner.examine(mail, &EnvelopeFacts::default(), budget)));
    examiner
}

/// What mail has in it: text, a page with a link, a picture.
const TRIAL: &[u8] =
    b"From: a@x.example\r\nSubject: a trial\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    --b\r\nContent-Type: text/html\r\n\r\n<p><a href=\"https://x.example/\">x</a></p>\r\n\
    --b\r\nContent-Type: image/gif; name=a.gif\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\r\n--b--\r\n";

/// Examines a mail within the walls. What ends the process is seen by who has started it; a rule that panics does so
/// for every mail, and is told of then.
fn try_out(examiner: &mut Examiner<'_>, limits: &Limits) {
    let budget = Budget::starting_now(limits.time_max);
    let _ = catch_unwind(AssertUnwindSafe(|| examiner.examine(TRIAL, &EnvelopeFacts::default(), budget)));
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    format!("the examination panicked: {}", text.unwrap_or_default())
}
