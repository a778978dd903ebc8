//! Who a client is, what it may take, and how its connection ends.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use domain::share::{Source, Standing};
use domain::{Direction, Timestamp};
use platform::clock::Clock;
use platform::config::Role;
use platform::hop::Purpose;

use crate::support::{Client, HOST, OURS, PROXY, RELAY, Room, STRANGER, letter};

const SENDER: &str = "a@outside.example";
const ANNA: &str = "anna@ours.example";
const FRIEND: &str = "friend@outside.example";
/// Long enough to be seen, short enough to be waited for.
const MOMENT: Duration = Duration::from_millis(80);

pub(crate) async fn a_stranger_that_talks_before_the_greeting_is_turned_away() {
    let room = Room::set(|config| config.limits.greeting_pause = MOMENT).await;
    let mut early = Client::connect(room.mx, STRANGER).await;
    early.send(b"EHLO early\r\n").await;
    early.hears("554 5.5.0 Talked before the greeting").await;
    early.is_closed().await;
    let mut polite = Client::connect(room.mx, STRANGER).await;
    polite.hears(&format!("220 {HOST}")).await;
    // Ours are not made to wait, and may say what they like.
    let mut ours = Client::connect(room.mx, OURS).await;
    ours.send(b"EHLO early\r\n").await;
    ours.hears("220").await;
    ours.hears("250").await;
    drop((early, polite, ours));
    room.is_empty_soon().await;
}

pub(crate) async fn one_address_has_so_many_connections_and_no_more() {
    let room = Room::set(|config| config.limits.connections_per_ip_max = 2).await;
    let (first, _second) = (room.client("127.0.1.1").await, room.client("127.0.1.1").await);
    let mut third = Client::connect(room.mx, "127.0.1.1").await;
    third.hears("421 4.7.0 Too many connections of this client, try again later").await;
    third.is_closed().await;
    room.client("127.0.1.2").await.says("NOOP", "250").await;
    drop(first);
    while room.gateway.places.taken() > 1 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    room.client("127.0.1.1").await.says("NOOP", "250").await;
}

pub(crate) async fn one_network_has_so_many_connections_and_no_more() {
    let room = Room::set(|config| {
        config.limits.connections_per_ip_max = 2;
        config.limits.connections_per_network_max = 2;
    })
    .await;
    let _both = (room.client("127.0.1.1").await, room.client("127.0.1.2").await);
    let mut third = Client::connect(room.mx, "127.0.1.3").await;
    third.hears("421 4.7.0 Too many connections of this network").await;
    room.client("127.0.2.1").await.says("NOOP", "250").await;
}

pub(crate) async fn who_does_nothing_with_its_place_gives_it_to_a_newcomer() {
    let room = Room::set(|config| {
        config.limits.connections_max = 10;
        config.limits.connections_per_ip_max = 10;
        config.limits.connections_per_network_max = 10;
    })
    .await;
    let mut crowd = Vec::new();
    for _ in 0..7 {
        crowd.push(room.client("127.0.1.1").await);
    }
    room.client("127.0.2.1").await.says("NOOP", "250").await;
    let mut sent_away = 0;
    for one in &mut crowd {
        let heard = tokio::time::timeout(Duration::from_millis(100), one.reply()).await;
        if let Ok(heard) = heard {
            assert_eq!(heard, "421 4.3.2 Too busy, try again later");
            sent_away += 1;
        }
    }
    assert_eq!(sent_away, 1);
    // Our own have a share that strangers cannot take.
    room.client(OURS).await.says("NOOP", "250").await;
    drop(crowd);
    room.is_empty_soon().await;
}

pub(crate) async fn a_silent_client_is_sent_off_at_its_deadline() {
    let room = Room::set(|config| config.limits.command_deadline = MOMENT).await;
    let mut client = room.client(STRANGER).await;
    client.hears("421 4.4.2 Too slow").await;
    client.is_closed().await;
    room.is_empty_soon().await;
}

pub(crate) async fn a_message_that_does_not_come_on_is_given_up_and_its_memory_back() {
    let room = Room::set(|config| config.limits.data_deadline = MOMENT * 2).await;
    let mut client = room.client(STRANGER).await;
    client.introduces(SENDER, &[ANNA]).await;
    client.says("DATA", "354").await;
    client.send(b"Subject: a\r\n\r\nnever ends").await;
    client.hears("421 4.4.2 Too slow").await;
    room.is_empty_soon().await;
}

pub(crate) async fn a_visit_that_brings_nothing_ends_however_busy_it_is() {
    let room = Room::set(|config| config.limits.visit = MOMENT * 3).await;
    let mut idler = room.client(STRANGER).await;
    let mut client = room.client(STRANGER).await;
    tokio::time::sleep(MOMENT * 2).await;
    idler.says("NOOP", "250").await;
    assert!(client.hand_in(SENDER, &[ANNA], &letter(SENDER, "hello")).await.message.starts_with("250"));
    idler.hears("421 4.4.2 Too slow").await;
    // What is accepted begins the visit anew.
    client.says("NOOP", "250").await;
    client.hears("421 4.4.2 Too slow").await;
}

pub(crate) async fn faults_are_borne_with_only_so_often() {
    let room = Room::set(|config| config.limits.tolerance.errors_max = 2).await;
    let mut client = room.client(STRANGER).await;
    client.says("NONSENSE", "500").await;
    client.says("NONSENSE", "500").await;
    client.says("NONSENSE", "421 4.7.0").await;
    client.is_closed().await;
}

pub(crate) async fn a_message_is_not_begun_that_finds_no_room_in_memory() {
    let room = Room::set(|config| {
        config.limits.message_bytes_max = 4 << 20;
        config.limits.in_flight_bytes_max = 8 << 20;
    })
    .await;
    let all = room.gateway.memory.coming_max();
    let source =
        Source { client: "192.0.2.1".parse().expect("an address"), standing: Standing::Stranger, is_relay: true };
    let mut other = room.gateway.memory.account(source);
    let most = (1..=all >> 16).rev().find(|steps| other.holds(steps << 16).is_ok()).expect("something fits");
    let mut client = room.client(STRANGER).await;
    client.says("MAIL FROM:<a@outside.example> SIZE=4000000", "250").await;
    client.says("RCPT TO:<anna@ours.example>", "250").await;
    client.says("DATA", "452 4.3.1 Too much mail in memory").await;
    // One that does not say how large it is begins, and is refused when it turns out that there is no room.
    client.says("RSET", "250").await;
    client.introduces(SENDER, &[ANNA]).await;
    let large = letter(SENDER, "large") + &"much text of a line\r\n".repeat(150_000);
    client.says("DATA", "354").await;
    client.send(large.as_bytes()).await;
    client.says(".", "452 4.3.1 Too much mail in memory").await;
    assert_eq!(room.gateway.memory.held(), most << 16, "nothing of it is held any more");
    drop(other);
    let answers = client.hand_in(SENDER, &[ANNA], &large).await;
    assert!(answers.message.starts_with("250"), "{answers:?}");
    drop(client);
    room.is_empty_soon().await;
}

pub(crate) async fn a_proxy_names_the_client_and_nobody_else_may() {
    let room = Room::new().await;
    let mut proxied = Client::connect(room.proxied, PROXY).await;
    proxied.send(b"PROXY TCP4 192.0.2.9 127.0.0.1 1000 25\r\n").await;
    proxied.hears("220").await;
    proxied.says("EHLO client.example", "250").await;
    let answers = proxied.hand_in(SENDER, &[ANNA, FRIEND], &letter(SENDER, "hello")).await;
    assert!(answers.recipients[1].starts_with("550 5.7.1"), "a stranger as any other: {answers:?}");
    let client = room.newest().await.envelope.client;
    assert_eq!((client.ip.to_string().as_str(), client.peer.to_string().as_str()), ("192.0.2.9", PROXY));
    let mut forged = Client::connect(room.proxied, STRANGER).await;
    forged.is_closed().await;
    let mut without = Client::connect(room.proxied, PROXY).await;
    without.send(b"EHLO without.example\r\n").await;
    without.is_closed().await;
    drop(proxied);
    room.is_empty_soon().await;
}

pub(crate) async fn a_proxy_s_connections_count_for_their_clients() {
    let room = Room::set(|config| config.limits.connections_per_ip_max = 1).await;
    let mut all = Vec::new();
    for (client, greeting) in [("192.0.2.9", "220"), ("192.0.2.9", "421 4.7.0 Too many"), ("192.0.2.10", "220")] {
        let mut proxied = Client::connect(room.proxied, PROXY).await;
        proxied.send(format!("PROXY TCP4 {client} 127.0.0.1 1000 25\r\n").as_bytes()).await;
        proxied.hears(greeting).await;
        all.push(proxied);
    }
    drop(all);
    room.is_empty_soon().await;
}

pub(crate) async fn a_client_behind_a_proxy_that_talks_early_is_turned_away() {
    let room = Room::set(|config| config.limits.greeting_pause = MOMENT).await;
    let mut proxied = Client::connect(room.proxied, PROXY).await;
    proxied.send(b"PROXY TCP4 192.0.2.9 127.0.0.1 1000 25\r\nEHLO early\r\n").await;
    proxied.hears("554 5.5.0 Talked before the greeting").await;
}

pub(crate) async fn a_relay_may_say_who_its_client_is_and_others_may_not() {
    let room = Room::new().await;
    room.client(STRANGER).await.says("XCLIENT ADDR=192.0.2.44", "5").await;
    let mut relay = room.client(RELAY).await;
    relay.says("XCLIENT ADDR=192.0.2.44 LOGIN=anna PROTO=ESMTP", "220").await;
    relay.says("EHLO client.example", "250").await;
    let answers = relay.hand_in(ANNA, &[FRIEND], &letter(ANNA, "hello")).await;
    assert!(answers.message.starts_with("250"), "who has logged in may write to the outside: {answers:?}");
    let client = room.newest().await.envelope.client;
    assert_eq!((client.ip.to_string().as_str(), client.peer.to_string().as_str()), ("192.0.2.44", RELAY));
    assert_eq!((client.login.as_deref(), client.protocol.as_str()), (Some("anna"), "ESMTP"));
    let mail = String::from_utf8(room.hop.taken()[0].bytes.clone()).expect("text");
    assert!(mail.starts_with("Received: from client.example ([192.0.2.44])"), "{mail}");
}

pub(crate) async fn a_client_named_by_a_relay_has_no_more_connections_than_one_has() {
    let room = Room::set(|config| config.limits.connections_per_ip_max = 1).await;
    let (mut one, mut two) = (room.client(RELAY).await, room.client(RELAY).await);
    one.says("XCLIENT ADDR=192.0.2.44", "220").await;
    two.says("XCLIENT ADDR=192.0.2.44", "220").await;
    two.hears("421 4.7.0 Too many connections of this client").await;
    two.is_closed().await;
    one.says("EHLO client.example", "250").await;
}

pub(crate) async fn whom_a_relay_names_for_the_record_is_not_trusted_for_it_and_is_forgotten() {
    let room = Room::new().await;
    let mut relay = room.client(RELAY).await;
    relay.says("XFORWARD ADDR=127.0.9.7 HELO=inside.example", "250").await;
    let answers = relay.hand_in(SENDER, &[ANNA, FRIEND], &letter(SENDER, "hello")).await;
    assert!(answers.recipients[1].starts_with("550 5.7.1"), "a name gives no trust: {answers:?}");
    let client = room.newest().await.envelope.client;
    assert_eq!((client.ip.to_string().as_str(), client.helo.as_str()), ("127.0.9.7", "inside.example"));
    relay.hand_in(SENDER, &[ANNA], &letter(SENDER, "more")).await;
    let client = room.newest().await.envelope.client;
    assert_eq!((client.ip.to_string().as_str(), client.helo.as_str()), (RELAY, "client.example"), "one message's");
    relay.says("XFORWARD ADDR=127.0.9.7", "250").await;
    relay.says("MAIL FROM:<a@outside.example>", "250").await;
    relay.says("RSET", "250").await;
    relay.hand_in(SENDER, &[ANNA], &letter(SENDER, "after a reset")).await;
    assert_eq!(room.newest().await.envelope.client.ip.to_string(), RELAY);
}

pub(crate) async fn submission_is_for_our_own_mail_servers_and_their_senders_are_identities() {
    let room = Room::new().await;
    let mut stranger = Client::connect(room.submission, STRANGER).await;
    let mut said = stranger.reply().await;
    if said.starts_with("220") {
        said = stranger.reply().await;
    }
    assert!(said.starts_with("554 5.7.1 This listener is for our own mail servers"), "{said}");
    stranger.is_closed().await;
    let mut ours = Client::connect(room.submission, OURS).await;
    ours.hears("220").await;
    ours.says("EHLO mta.ours.example", "250").await;
    assert!(ours.hand_in(ANNA, &[FRIEND], &letter(ANNA, "hello")).await.message.starts_with("250"));
    assert_eq!(room.newest().await.envelope.client.login.as_deref(), Some(ANNA));
    // The same sender at the other listener is nobody in particular.
    room.hand_in(OURS, ANNA, &[FRIEND], "hello again").await;
    assert_eq!(room.newest().await.envelope.client.login, None);
}

pub(crate) async fn how_well_a_client_is_known_follows_from_where_it_is() {
    let room = Room::new().await;
    let gateway = &room.gateway;
    let [mx, proxied, submission] = [0, 1, 2].map(|at: usize| &gateway.config.listeners[at]);
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    let told = |source: Source| (source.standing, source.is_relay);
    assert_eq!(told(gateway.peer(mx, ip(STRANGER))), (Standing::Stranger, false));
    assert_eq!(told(gateway.peer(mx, ip(OURS))), (Standing::Ours, false));
    assert_eq!(told(gateway.peer(mx, ip("127.0.8.1"))), (Standing::Ours, true), "one host of ours is a mail server");
    assert_eq!(told(gateway.peer(mx, ip(RELAY))), (Standing::Known, true));
    assert_eq!(told(gateway.peer(proxied, ip(PROXY))), (Standing::Known, true));
    assert_eq!(told(gateway.peer(proxied, ip(RELAY))), (Standing::Stranger, false), "listed elsewhere");
    assert_eq!(submission.role, Role::Submission);
    assert_eq!(told(gateway.peer(submission, ip(STRANGER))), (Standing::Ours, false));
    assert_eq!(told(gateway.client(mx, ip(STRANGER), true)), (Standing::Ours, false), "who has logged in");
    let now = room.clock.now();
    gateway.known.remember(ip(STRANGER), Timestamp::from_micros(0), now, 10);
    assert_eq!(told(gateway.client(mx, ip(STRANGER), false)), (Standing::Known, false));
}

pub(crate) async fn a_stop_sends_idle_clients_off_and_lets_a_transaction_finish() {
    let room = Room::set(|config| config.limits.drain = Duration::from_secs(20)).await;
    let mut idle = room.client(STRANGER).await;
    let mut busy = room.client(STRANGER).await;
    busy.introduces(SENDER, &[ANNA]).await;
    room.stop.send(true).expect("somebody listens");
    idle.hears("421 4.3.2 Shutting down, try again").await;
    idle.is_closed().await;
    assert!(busy.data(&letter(SENDER, "hello")).await.starts_with("250"));
    busy.hears("421 4.3.2 Shutting down, try again").await;
    let mut connections = room.connections;
    while connections.join_next().await.is_some() {}
    assert_eq!(room.gateway.places.taken(), 0);
}

pub(crate) async fn a_stop_waits_for_a_transaction_only_as_long_as_it_may() {
    let room = Room::set(|config| config.limits.drain = MOMENT * 2).await;
    let mut slow = room.client(STRANGER).await;
    slow.introduces(SENDER, &[ANNA]).await;
    room.stop.send(true).expect("somebody listens");
    slow.says("NOOP", "250").await;
    slow.hears("421 4.3.2 Shutting down, try again").await;
    let mut connections = room.connections;
    while connections.join_next().await.is_some() {}
}

pub(crate) async fn what_a_hop_is_asked_for_again_is_bounded_for_a_stranger_and_not_for_ours() {
    for (from, begins) in [("127.0.1.1", "451 4.7.1 Too many recipients had to be asked for again"), (OURS, "250")] {
        let room = Room::set(|config| {
            config.limits.repeats_max = 10;
            config.limits.hop_connections_max = 1;
        })
        .await;
        let mut client = room.client(from).await;
        let recipients: Vec<String> = (0..30).map(|n| format!("r{n}@ours.example")).collect();
        let asked: Vec<&str> = recipients.iter().map(String::as_str).collect();
        client.introduces(SENDER, &asked[..20]).await;
        // Whoever has all of it left may have one list repeated, however long.
        lose_the_connection(&room).await;
        client.says(&format!("RCPT TO:<{}>", asked[20]), "250").await;
        lose_the_connection(&room).await;
        client.says(&format!("RCPT TO:<{}>", asked[21]), begins).await;
    }
}

pub(crate) async fn a_hop_that_changes_its_mind_before_the_data_is_heard_before_the_data() {
    let room = Room::set(|config| config.limits.hop_connections_max = 1).await;
    room.hop.says_of(ANNA, &[(250, "2.1.5 Yes"), (550, "5.1.1 No more")]);
    let mut client = room.client(STRANGER).await;
    client.introduces(SENDER, &[ANNA]).await;
    lose_the_connection(&room).await;
    let changed = "451 4.4.0 The next hop changed its answer about a recipient, try again";
    client.says("DATA", changed).await;
    // Nothing more comes of this transaction; the next one is a new one.
    client.says("DATA", changed).await;
    client.says("RCPT TO:<ben@ours.example>", changed).await;
    client.says("RSET", "250").await;
    assert!(client.hand_in(SENDER, &[ANNA], &letter(SENDER, "hello")).await.message.starts_with("250"));
}

pub(crate) async fn a_message_for_a_hop_whose_only_connection_is_busy_waits_only_so_long() {
    let room = Room::set(|config| {
        config.limits.hop_connections_max = 1;
        config.limits.hop_wait = Duration::ZERO;
    })
    .await;
    let hop = room.gateway.hops.of(Direction::Inbound);
    let ours = Source { client: "10.0.0.1".parse().expect("an address"), standing: Standing::Ours, is_relay: true };
    let mut client = room.client(STRANGER).await;
    let loan = hop.lend(&ours, Purpose::Message, Instant::now()).await.expect("it is free");
    let answers = client.introduces(SENDER, &[ANNA]).await;
    assert!(answers[0].starts_with("451 4.3.2 The connections to the next hop are in use by"), "{answers:?}");
    loan.give_back();
    client.says("RSET", "250").await;
    assert!(client.hand_in(SENDER, &[ANNA], &letter(SENDER, "hello")).await.recipients[0].starts_with("250"));
}

pub(crate) async fn a_stop_lets_a_command_that_has_begun_be_ended() {
    let room = Room::set(|config| config.limits.drain = Duration::from_secs(20)).await;
    let mut client = room.client(STRANGER).await;
    client.send(b"NOO").await;
    tokio::time::sleep(MOMENT).await;
    room.stop.send(true).expect("somebody listens");
    tokio::time::sleep(MOMENT).await;
    client.says("P", "250").await;
    client.hears("421 4.3.2 Shutting down, try again").await;
}

/// The only connection to the hop, on which a transaction waits, is taken back by one that needs it more.
async fn lose_the_connection(room: &Room) {
    let hop = room.gateway.hops.of(Direction::Inbound);
    let ours = Source { client: "10.0.0.1".parse().expect("an address"), standing: Standing::Ours, is_relay: true };
    let until = Instant::now() + Duration::from_secs(10);
    hop.lend(&ours, Purpose::Message, until).await.expect("it is taken back").give_back();
}
