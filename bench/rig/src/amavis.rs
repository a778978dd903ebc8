//! Debian's amavis with clamd and a database of our own (the EICAR test file), quarantining to files.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::process::{Process, own};
use crate::{free_address, wait_for};

/// A running amavis.
pub struct Amavis {
    /// Where mail comes in.
    pub address: SocketAddr,
    release: SocketAddr,
    quarantine: PathBuf,
    clamd: Process,
    process: Process,
}

impl Amavis {
    /// Starts one that delivers to `hop`, with four workers.
    pub fn start(folder: &Path, hop: SocketAddr) -> Result<Self> {
        let [address, release] = [free_address()?, free_address()?];
        let clamd = start_clamd(folder)?;
        for name in ["amavis", "amavis/tmp", "amavis/quarantine", "amavis/db"] {
            own(&folder.join(name), "amavis")?;
        }
        let home = folder.join("amavis");
        let at = |name: &str| home.join(name).display().to_string();
        let config = folder.join("amavis.conf");
        let (mail, pdp, hop) = (address.port(), release.port(), hop.port());
        let socket = folder.join("clamd.sock").display().to_string();
        let text = format!(
            "use strict;\n$max_servers = 4; $max_requests = 1000; $daemon_user = 'amavis'; $daemon_group = 'amavis';\n\
             $MYHOME = '{home}'; $TEMPBASE = '{tmp}'; $QUARANTINEDIR = '{quarantine}'; $db_home = '{db}';\n\
             $pid_file = '{pid}'; $lock_file = '{lock}'; $enable_db = 0; $enable_zmq = 0; $log_level = 0; $do_syslog = \
             0;\n\
             $LOGFILE = '{log}'; $mydomain = 'ours.example'; $myhostname = 'amavis.ours.example';\n\
             @local_domains_acl = (\".$mydomain\"); @mynetworks = qw(127.0.0.0/8);\n\
             $inet_socket_port = [{mail}, {pdp}]; $inet_socket_bind = '127.0.0.1'; @inet_acl = qw(127.0.0.1); \
             $unix_socketname = undef;\n\
             $interface_policy{{'{pdp}'}} = 'AM.PDP-INET';\n\
             $policy_bank{{'AM.PDP-INET'}} = {{ protocol => 'AM.PDP', inet_acl => [qw(127.0.0.1)], \
             auth_required_release => 0 }};\n\
             $forward_method = 'smtp:[127.0.0.1]:{hop}'; $notify_method = $forward_method; $requeue_method = \
             $forward_method;\n\
             $release_method = $forward_method; $enable_dkim_verification = 0; $enable_dkim_signing = 0;\n\
             $final_virus_destiny = D_DISCARD; $final_banned_destiny = D_PASS; $final_spam_destiny = D_DISCARD; \
             $final_bad_header_destiny = D_PASS;\n\
             $virus_admin = undef; $spam_admin = undef; $warnvirusrecip = 0; $spam_quarantine_to = undef; \
             $bad_header_quarantine_to = undef;\n\
             $banned_quarantine_to = undef; $virus_quarantine_to = 'virus-quarantine'; $virus_quarantine_method = \
             'local:v-%m';\n\
             @decoders = (['mail', \\&do_mime_decode]); @bypass_spam_checks_maps = (1);\n\
             @av_scanners = (['ClamAV-clamd', \\&ask_daemon, [\"CONTSCAN {{}}\\n\", '{socket}'], qr/\\bOK$/m, \
             qr/\\bFOUND$/m, qr/^.*?: (.*) FOUND$/m]);\n\
             @av_scanners_backup = (); 1;\n",
            home = home.display(),
            tmp = at("tmp"),
            quarantine = at("quarantine"),
            db = at("db"),
            pid = at("amavis.pid"),
            lock = at("amavis.lock"),
            log = at("amavis.log"),
        );
        fs::write(&config, text)?;
        let mut command = Command::new("amavisd");
        command.arg("-c").arg(&config).arg("foreground");
        let process = Process::start(&mut command, &folder.join("amavis.out"))?;
        wait_for(address, "amavis")?;
        Ok(Self { address, release, quarantine: home.join("quarantine"), clamd, process })
    }

    /// The pids of amavis and of its clamd.
    pub fn pids(&self) -> Vec<u32> {
        vec![self.process.pid(), self.clamd.pid()]
    }

    /// The files of the quarantine.
    pub fn quarantined(&self) -> Result<Vec<String>> {
        let names = fs::read_dir(&self.quarantine)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    /// Releases files over AM.PDP with some connections; returns how long it took.
    pub fn release(&self, files: Vec<String>, connections: usize) -> Result<Duration> {
        let left = Arc::new(Mutex::new(files));
        let began = Instant::now();
        let workers: Vec<_> = (0..connections)
            .map(|_| {
                let (left, to) = (left.clone(), self.release);
                std::thread::spawn(move || release_all(to, &left))
            })
            .collect();
        for worker in workers {
            worker.join().expect("a worker does not panic")?;
        }
        Ok(began.elapsed())
    }
}

fn release_all(to: SocketAddr, left: &Mutex<Vec<String>>) -> Result<()> {
    let mut socket = BufReader::new(TcpStream::connect(to)?);
    socket.get_ref().set_nodelay(true)?;
    loop {
        let Some(file) = left.lock().expect("nobody panics while holding it").pop() else { return Ok(()) };
        let id = file.trim_start_matches("v-");
        let ask = format!("request=release\r\nmail_id={id}\r\nquar_type=F\r\nmail_file={file}\r\n\r\n");
        socket.get_mut().write_all(ask.as_bytes())?;
        let mut is_released = false;
        loop {
            let mut line = String::new();
            ensure!(socket.read_line(&mut line)? > 0, "amavis closed the connection");
            is_released |= line.contains("setreply=250");
            if line.trim().is_empty() {
                break;
            }
        }
        ensure!(is_released, "{file} was not released");
    }
}

/// Starts Debian's clamd with one signature of our own; it listens at `clamd.sock` in the folder.
pub fn start_clamd(folder: &Path) -> Result<Process> {
    let [database, temporary, socket] = ["clamdb", "clamtmp", "clamd.sock"].map(|name| folder.join(name));
    fs::create_dir_all(&database)?;
    fs::create_dir_all(&temporary)?;
    fs::write(database.join("eicar.hdb"), "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-File\n")?;
    let config = folder.join("clamd.conf");
    let text = format!(
        "DatabaseDirectory {}\nLocalSocket {}\nLocalSocketMode 666\nTemporaryDirectory {}\nMaxThreads 8\nForeground \
            yes\n\
         DisableCache yes\nScanMail yes\nStreamMaxLength 50M\n",
        database.display(),
        socket.display(),
        temporary.display()
    );
    fs::write(&config, text)?;
    let mut command = Command::new("clamd");
    command.arg("-c").arg(&config);
    let process = Process::start(&mut command, &folder.join("clamd.log"))?;
    let began = Instant::now();
    while !socket.exists() {
        ensure!(
            began.elapsed() < Duration::from_secs(30),
            "clamd does not start: {}",
            folder.join("clamd.log").display()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(process)
}
