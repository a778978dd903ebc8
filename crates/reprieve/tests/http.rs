//! What a stranger can do to the listeners of HTTP, and what it costs others: nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, clean, config};

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A gateway with a portal, and where that is.
fn with_portal(more: &str) -> (Sink, Gateway, SocketAddr) {
    let sink = Sink::start();
    let portal = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let text = format!(
        "{}[portal]\naddress = \"{portal}\"\nurl = \"https://held.ours.example\"\n{more}",
        config(sink.address)
    );
    (sink, Gateway::start(&text), portal)
}

/// Whatever comes back until the other side ends it.
fn rest(socket: &mut (impl Read + ?Sized)) -> String {
    let mut bytes = Vec::new();
    // A connection that is cut says no more.
    let _ = socket.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn ask(address: &str, head: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    rest(&mut socket)
}

fn get(address: &str, path: &str, host: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

/// Half a request, and the connection that it stands on.
fn half(address: SocketAddr) -> Option<TcpStream> {
    let mut socket = TcpStream::connect(address).ok()?;
    socket.write_all(b"POST /ask HTTP/1.1\r\nHost: held.ours.example\r\nX-Half: ").ok()?;
    Some(socket)
}

fn metrics(gateway: &Gateway) -> String {
    get(&gateway.api, "/metrics", "x")
}

fn refused(gateway: &Gateway, listener: &str, reason: &str) -> u64 {
    let name = format!("reprieve_http_refused_total{{listener=\"{listener}\",reason=\"{reason}\"}} ");
    let text = metrics(gateway);
    text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

/// SMTP and the readiness of the gateway, for everybody else.
fn others_are_served(gateway: &Gateway, mark: &str) {
    let began = Instant::now();
    let reply = Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &clean(mark));
    assert!(reply.starts_with("250"), "{reply}");
    let ready = get(&gateway.api, "/readyz", "127.0.0.1");
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn eleven_hundred_half_requests_stop_nobody() {
    let (sink, gateway, portal) = with_portal("");
    let held: Vec<TcpStream> = (0..1100).filter_map(|_| half(portal)).collect();
    assert_eq!(held.len(), 1100, "the system takes them, whoever serves them");
    for mark in ["1", "2", "3"] {
        others_are_served(&gateway, mark);
    }
    assert_eq!(sink.wait(3).len(), 3);
    assert!(refused(&gateway, "portal", "address") >= 1000, "{}", metrics(&gateway));
    drop(held);
}

#[test]
fn half_requests_of_many_addresses_make_room_for_who_asks() {
    // Each of them its own address, as a proxy in front would have it; the portal takes no more than 16.
    let (_sink, gateway, portal) =
        with_portal("[http]\nconnections = 16\nconnections_per_ip = 4\nproxies = [\"127.0.0.1\"]\n");
    let mut held: Vec<TcpStream> = (0..100).filter_map(|_| half(portal)).collect();
    let seen = get(&portal.to_string(), "/", "held.ours.example");
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    assert!(refused(&gateway, "portal", "made room") >= 84, "{}", metrics(&gateway));
    // As many as are told at once are told why; the others see the connection close.
    let told = held.iter_mut().any(|socket| {
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let told = rest(socket);
        told.starts_with("HTTP/1.1 503") && told.contains("make room")
    });
    assert!(told, "nobody was told");
    // A proxy is exempt from the share of an address; its clients are not.
    let asking: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut socket = TcpStream::connect(portal).unwrap();
            let head = "POST /ask HTTP/1.1\r\nHost: held.ours.example\r\nX-Forwarded-For: \
                203.0.113.9\r\nContent-Length: 10\r\n\
                        Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na";
            socket.write_all(head.as_bytes()).unwrap();
            socket
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    let more = |client: &str| {
        ask(
            &portal.to_string(),
            &format!(
                "GET / HTTP/1.1\r\nHost: held.ours.example\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n"
            ),
        )
    };
    assert!(more("192.0.2.1, 203.0.113.9").starts_with("HTTP/1.1 429"), "its requests under way are counted");
    assert!(more("203.0.113.10").starts_with("HTTP/1.1 200"), "another client's are not its own");
    drop(asking);
}

#[test]
fn slow_bodies_of_many_addresses_make_room_for_who_asks() {
    let (_sink, _gateway, portal) =
        with_portal("[http]\nconnections = 16\nconnections_per_ip = 4\nproxies = [\"127.0.0.1\"]\n");
    let slow: Vec<TcpStream> = (0..16)
        .map(|client| {
            let mut socket = TcpStream::connect(portal).unwrap();
            let head = format!(
                "POST /ask HTTP/1.1\r\nHost: held.ours.example\r\nX-Forwarded-For: \
                    203.0.113.{client}\r\nContent-Length: 10000\r\n\
                 Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na"
            );
            socket.write_all(head.as_bytes()).unwrap();
            socket
        })
        .collect();
    std::thread::sleep(Duration::from_millis(2500));
    let seen = get(&portal.to_string(), "/", "held.ours.example");
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    drop(slow);
}

#[test]
fn whoever_is_slow_is_told_and_cut() {
    let (_sink, gateway, portal) =
        with_portal("[http]\nheader_timeout_s = 1\nbody_timeout_s = 2\nidle_timeout_s = 1\nwrite_timeout_s = 2\n");
    let patient = |socket: &TcpStream| socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut header = half(portal).unwrap();
    patient(&header);
    let began = Instant::now();
    let told = rest(&mut header);
    assert!(told.starts_with("HTTP/1.1 408") && told.contains("header"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // Bytes now and then are no header.
    let mut drip = half(portal).unwrap();
    let began = Instant::now();
    while drip.write_all(b"x").is_ok() && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let mut body = TcpStream::connect(portal).unwrap();
    patient(&body);
    body.write_all(
        b"POST /ask HTTP/1.1\r\nHost: held.ours.example\r\nSec-Fetch-Site: same-origin\r\n\
          Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\naddress=",
    )
    .unwrap();
    let told = rest(&mut body);
    assert!(told.starts_with("HTTP/1.1 408") && told.contains("body"), "{told}");
    let mut idle = TcpStream::connect(portal).unwrap();
    patient(&idle);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: held.ours.example\r\n\r\n").unwrap();
    let began = Instant::now();
    let told = rest(&mut idle);
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(6), "nobody keeps a connection for nothing: {:?}", began.elapsed());
    for (reason, least) in [("header timeout", 2), ("body timeout", 1), ("idle timeout", 1)] {
        assert!(refused(&gateway, "portal", reason) >= least, "{reason}: {}", metrics(&gateway));
    }
    // The unix socket has the same ends.
    let mut local = UnixStream::connect(gateway.path("data/api.sock")).unwrap();
    local.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    local.write_all(b"GET /api/v1/ledger HTTP/1.1\r\nX-Half: ").unwrap();
    assert!(rest(&mut local).starts_with("HTTP/1.1 408"));
}

#[test]
fn a_reader_that_takes_nothing_is_cut() {
    let (_sink, gateway, portal) = with_portal("[http]\nwrite_timeout_s = 1\n");
    let mut socket = TcpStream::connect(portal).unwrap();
    // Answers that nobody reads, until the system holds no more of them.
    let request = b"GET /assets/style.css HTTP/1.1\r\nHost: held.ours.example\r\n\r\n";
    socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let began = Instant::now();
    while refused(&gateway, "portal", "write timeout") == 0 {
        let _ = socket.write(&request.repeat(200));
        assert!(began.elapsed() < Duration::from_secs(30), "{}", metrics(&gateway));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn only_names_of_ours_lead_to_the_sign_in_form() {
    let (_sink, gateway, portal) = with_portal("[http]\nhosts = [\"console.ours.example\"]\n");
    let port = gateway.api.rsplit(':').next().unwrap().to_owned();
    for host in ["gw.example", "console.ours.example", "localhost", "127.0.0.1", "[::1]"] {
        let seen = get(&gateway.api, "/sign-in", &format!("{host}:{port}"));
        assert!(seen.starts_with("HTTP/1.1 200"), "{host}: {seen}");
    }
    for host in ["evil.example", "console.ours.example.evil.example", ""] {
        for (address, path) in
            [(gateway.api.clone(), "/sign-in"), (gateway.api.clone(), "/api/v1/ledger"), (portal.to_string(), "/")]
        {
            let seen = get(&address, path, host);
            assert!(seen.starts_with("HTTP/1.1 421") && seen.contains("hosts in [http]"), "{host} {path}: {seen}");
        }
    }
    assert!(get(&portal.to_string(), "/", "held.ours.example").starts_with("HTTP/1.1 200"));
    for path in ["/livez", "/readyz", "/metrics"] {
        assert!(get(&gateway.api, path, "whatever.the.check.says").starts_with("HTTP/1.1 200"), "{path}");
        assert!(ask(&gateway.api, &format!("GET {path} HTTP/1.0\r\n\r\n")).starts_with("HTTP/1.0 200"), "{path}");
    }
    assert!(refused(&gateway, "api", "host") >= 6);
}

/// Bytes that a process has in memory.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

#[test]
fn names_that_strangers_sign_in_with_take_no_memory() {
    let (_sink, gateway, _) = with_portal("");
    let sign_in = |length: usize, number: usize| {
        let body = format!("name={number}{}&password=x&code=", "n".repeat(length));
        let head = format!(
            "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut socket = TcpStream::connect(&gateway.api).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // It is refused before it has come whole.
        let _ = socket.write_all(head.as_bytes());
        rest(&mut socket)
    };
    sign_in(10, 0);
    let before = resident(gateway.pid());
    for number in 0..150 {
        sign_in(1_900_000, number);
    }
    let grown = resident(gateway.pid()).saturating_sub(before);
    assert!(grown < 48 << 20, "{} MiB", grown >> 20);
    std::thread::sleep(Duration::from_secs(11));
    let told = sign_in(500, 1);
    assert!(told.starts_with("HTTP/1.1 400") && told.contains("that long"), "{told}");
}

#[test]
fn a_start_raises_the_limit_of_descriptors_and_says_so() {
    let (_sink, gateway, _) = with_portal("");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.pid())).unwrap();
    let open: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max open files")).unwrap().split_whitespace().collect();
    assert_eq!(open[3], open[4], "soft and hard");
    assert!(gateway.log().contains("raised to the hard limit"), "{}", gateway.log());
}

#[test]
fn connections_that_do_not_fit_are_told_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("reprieve.toml"), config(SocketAddr::from(([127, 0, 0, 1], 1)))).unwrap();
    let check = |hard: u32| {
        let command =
            format!("ulimit -n {hard}; exec {} config check --config reprieve.toml", env!("CARGO_BIN_EXE_reprieve"));
        std::process::Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap()
    };
    let short = check(1500);
    let told = String::from_utf8_lossy(&short.stderr).into_owned();
    assert_eq!(short.status.code(), Some(1), "{told}");
    assert!(told.contains("file descriptors") && told.contains("1500") && told.contains("LimitNOFILE"), "{told}");
    assert!(check(8192).status.success());
}

#[test]
fn a_header_over_its_limit_is_refused_and_told() {
    let (_sink, gateway, portal) = with_portal("");
    let with = |address: &str, fields: &str| {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!("GET /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
        // It may be refused before all of it has come.
        let _ = socket.write_all(head.as_bytes());
        rest(&mut socket)
    };
    let one = |bytes: usize| format!("X-Large: {}\r\n", "x".repeat(bytes));
    let many = |count: usize, bytes: usize| (0..count).map(|n| format!("X-{n}: {}\r\n", "x".repeat(bytes))).collect();
    let many: [String; 3] = [many(70, 1000), many(80, 1200), many(300, 10)];
    let [large, larger, countless] = &many;
    for fields in [&one(60_000), &"X: y\r\n".repeat(50)] {
        let seen = with(&gateway.api, fields);
        assert!(seen.starts_with("HTTP/1.1 200"), "{}", seen.lines().next().unwrap_or_default());
    }
    for address in [gateway.api.clone(), portal.to_string()] {
        for fields in [&one(66_000), &one(100_000), &one(1_000_000), large, larger, countless] {
            let seen = with(&address, fields);
            assert!(seen.starts_with("HTTP/1.1 431"), "{}: {}", fields.len(), seen.lines().next().unwrap_or_default());
        }
    }
    assert!(refused(&gateway, "api", "header") >= 5 && refused(&gateway, "portal", "header") >= 5);
    let (_sink, gateway, _) = with_portal("[http]\nheader_kib = 16\n");
    assert!(with(&gateway.api, &one(15_000)).starts_with("HTTP/1.1 200"));
    assert!(with(&gateway.api, &one(17_000)).starts_with("HTTP/1.1 431"));
}

#[test]
fn names_lead_to_the_sign_in_form_in_either_kind_of_labels() {
    let sink = Sink::start();
    let text = config(sink.address).replace("gw.example", "mx.bücher.example");
    let gateway = Gateway::start(&format!("{text}[http]\nhosts = [\"büro.example\"]\n"));
    for host in ["mx.xn--bcher-kva.example:8025", "MX.Bücher.example", "xn--bro-hoa.example", "büro.example."] {
        assert!(get(&gateway.api, "/sign-in", host).starts_with("HTTP/1.1 200"), "{host}");
    }
    assert!(get(&gateway.api, "/sign-in", "buecher.example").starts_with("HTTP/1.1 421"));
    let mut greeted = Talk::try_to(gateway.mx).unwrap();
    let said = greeted.try_say("EHLO x.example").unwrap();
    assert!(said.starts_with("250") && said.contains("mx.xn--bcher-kva.example"), "{said}");
}
