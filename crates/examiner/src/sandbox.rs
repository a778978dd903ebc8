//! What an examining process may do: read and answer on the socket that it has, use memory, and nothing else. It opens
//! no file, connects to nothing, starts nothing, signals nobody; a fault in a parser of strangers' mail ends with that
//! process (reliability 4.2).
//!
//! It is started with what whoever started the gateway left open, and as root with all that root may: the one is closed
//! on the way, and the other is given up first of all.
//!
//! Two walls, each enough by itself: Landlock takes away files, TCP and signals before anything is loaded; seccomp
//! leaves some forty system calls once all is loaded. Limits on memory and files come first. What is not allowed fails
//! with EPERM, as a library expects that it may.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::RawFd;

use caps::CapSet;
use caps::errors::CapsError;
use landlock::{
    ABI, Access, AccessFs, AccessNet, RestrictionStatus, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, Signal};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Bytes of memory that is written to, at most.
const MEMORY_BYTES_MAX: u64 = 1 << 30;
/// Standard input, output and error.
const STANDARD: std::ops::Range<RawFd> = 0..3;
/// Files that may be open: the three it is started with.
const FILES_MAX: u64 = 3;
/// What Landlock is asked for; older kernels give what they have.
const LANDLOCK: ABI = ABI::V6;

/// Why a process could not be shut in.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A limit or a flag of the process.
    #[error("a limit of the process cannot be set: {0}")]
    Limit(#[from] rustix::io::Errno),
    /// Descriptors of others.
    #[error("it has descriptors that are not its own: {0}")]
    Descriptors(String),
    /// Capabilities that stay.
    #[error("it keeps capabilities: {0}")]
    Capabilities(String),
    /// Landlock.
    #[error("landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// A filter that cannot be made, as on another architecture.
    #[error("seccomp: {0}")]
    Filter(#[from] seccompiler::BackendError),
    /// The kernel takes no filter.
    #[error("seccomp: {0}; the kernel needs CONFIG_SECCOMP_FILTER, and a container must allow it")]
    Seccomp(#[from] seccompiler::Error),
}

/// Sees to it that whatever is started from here has its standard input, output and error, and nothing else that is
/// open now: neither ours, nor what whoever has started us left open.
pub fn keep_descriptors() {
    close_fds::set_fds_cloexec_threadsafe(STANDARD.end, &[]);
}

/// Checks that nothing but standard input, output and error is open: to be called before anything is opened, while
/// there is one thread.
///
/// # Errors
/// When something is, or it cannot be seen what is.
pub fn check_descriptors() -> Result<(), SandboxError> {
    let open = inherited().map_err(|error| SandboxError::Descriptors(error.to_string()))?;
    // The list that is looked at is open as well, under the number that was free first.
    let others: Vec<String> =
        open.into_iter().filter(|number| *number != STANDARD.end).map(|n| n.to_string()).collect();
    if others.is_empty() { Ok(()) } else { Err(SandboxError::Descriptors(others.join(", "))) }
}

/// Descriptors beyond the standard ones, with that of the list itself.
fn inherited() -> io::Result<Vec<RawFd>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        found.extend(entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    found.retain(|descriptor| !STANDARD.contains(descriptor));
    Ok(found)
}

/// Gives up every capability, and the way to any: the bounding set, where that may be changed. Landlock sees to it that
/// no program gives any back.
fn give_up_capabilities() -> Result<(), SandboxError> {
    let failed = |error: CapsError| SandboxError::Capabilities(error.to_string());
    // Kernels without ambient capabilities have none to clear.
    let _ = caps::clear(None, CapSet::Ambient);
    for capability in caps::all() {
        // One that the kernel does not know is not there; and who may not take one away has none to begin with, and
        // gets none any more.
        let _ = caps::drop(None, CapSet::Bounding, capability);
    }
    for set in [CapSet::Effective, CapSet::Inheritable, CapSet::Permitted] {
        caps::clear(None, set).map_err(failed)?;
        let kept = caps::read(None, set).map_err(failed)?;
        if !kept.is_empty() {
            return Err(SandboxError::Capabilities(format!("{kept:?}")));
        }
    }
    Ok(())
}

/// Takes away what nothing of ours needs: to be called first, while there is one thread. Returns what the kernel cannot
/// do.
///
/// # Errors
/// When a limit cannot be set.
pub fn give_up_rights() -> Result<Vec<String>, SandboxError> {
    give_up_capabilities()?;
    // It ends with the gateway, even when the gateway is killed while it is busy.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let RestrictionStatus { ruleset, .. } = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .restrict_self()?;
    // No core file with somebody's mail in it.
    for (resource, most) in [(Resource::Data, MEMORY_BYTES_MAX), (Resource::Nofile, FILES_MAX), (Resource::Core, 0)] {
        rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(match ruleset {
        RulesetStatus::FullyEnforced => Vec::new(),
        RulesetStatus::PartiallyEnforced => vec!["landlock knows only a part of it".into()],
        RulesetStatus::NotEnforced => vec!["no landlock".into()],
    })
}

/// Leaves only the system calls that examining needs, in all threads.
///
/// # Errors
/// When the kernel does not take the filter.
pub fn shut() -> Result<(), SandboxError> {
    let allowed = filter(allowed()?, SeccompAction::Allow, SeccompAction::Errno(errno(libc::EPERM)))?;
    // The C library starts threads by `clone3`, whose flags a filter cannot see; where there is none, by `clone`.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let unknown = filter(unknown, SeccompAction::Errno(errno(libc::ENOSYS)), SeccompAction::Allow)?;
    for program in [unknown, allowed] {
        seccompiler::apply_filter_all_threads(&program)?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn filter(rules: Rules, matched: SeccompAction, other: SeccompAction) -> Result<BpfProgram, SandboxError> {
    let architecture = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, other, matched, architecture)?.try_into()?)
}

fn allowed() -> Result<Rules, SandboxError> {
    let always = [
        // The socket that it has, and complaints.
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_recvfrom,
        libc::SYS_sendto,
        libc::SYS_ppoll,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_lseek,
        // Memory, and the machine code that rules are compiled to.
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_membarrier,
        // Threads of its own, locks and time: the engine counts seconds in one.
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_gettimeofday,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        // A fault ends it, with a word about what it was.
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
        // There is none, says the other filter.
        libc::SYS_clone3,
    ];
    let mut rules: Rules = always.into_iter().map(|call| (call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.extend([(libc::SYS_poll, Vec::new()), (libc::SYS_time, Vec::new())]);
    // A thread, and no process.
    let thread = argument(0, SeccompCmpOp::MaskedEq(flag(libc::CLONE_THREAD)), flag(libc::CLONE_THREAD))?;
    rules.insert(libc::SYS_clone, vec![thread]);
    // Itself, and nobody else: how `abort` ends a process.
    rules.insert(libc::SYS_tgkill, vec![argument(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?]);
    // To ask for a limit, and not to set one.
    rules.insert(libc::SYS_prlimit64, vec![argument(2, SeccompCmpOp::Eq, 0)?]);
    // The names of its threads and of its memory.
    let names = [flag(libc::PR_SET_NAME), flag(libc::PR_SET_VMA)];
    let names = names.map(|name| argument(0, SeccompCmpOp::Eq, name)).into_iter().collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_prctl, names);
    Ok(rules)
}

fn argument(index: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompRule, SandboxError> {
    Ok(SeccompRule::new(vec![SeccompCondition::new(index, SeccompCmpArgLen::Qword, is, value)?])?)
}

fn flag(value: libc::c_int) -> u64 {
    u64::from(value.unsigned_abs())
}

fn errno(value: libc::c_int) -> u32 {
    value.unsigned_abs()
}
