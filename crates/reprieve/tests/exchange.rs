//! The endpoint that scripts for Exchange Online speak to: its paging, warnings and errors, and the examples of the
//! guide as they stand there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Gateway, Sink, Talk, bad, clean, config};

struct Client<'g> {
    gateway: &'g Gateway,
    token: String,
}

impl<'g> Client<'g> {
    fn new(gateway: &'g Gateway, role: &str, more: &[&str]) -> Self {
        let words = [&["token", "create", "--name", role, "--role", role][..], more].concat();
        Self { gateway, token: gateway.json(&words)["secret"].as_str().unwrap().to_owned() }
    }

    /// Status, header block, body.
    fn ask(&self, method: &str, path: &str, prefer: &str, body: &str) -> (u16, String, Value) {
        let mut socket = TcpStream::connect(self.gateway.api.as_str()).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\nPrefer: \
                {prefer}\r\n\
             Content-Type: application/json; charset=utf-8\r\nX-CmdletName: x\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn invoke(&self, name: &str, parameters: Value) -> (u16, String, Value) {
        let body = json!({ "CmdletInput": { "CmdletName": name, "Parameters": parameters } }).to_string();
        self.ask("POST", "/adminapi/beta/ours.example/InvokeCommand", "odata.maxpagesize=1000", &body)
    }

    /// The objects of a verb that works.
    fn objects(&self, name: &str, parameters: Value) -> Vec<Value> {
        let (status, _, answer) = self.invoke(name, parameters.clone());
        assert_eq!(status, 200, "{name} {parameters}: {answer}");
        answer["value"].as_array().unwrap().clone()
    }

    /// What is said of a verb that does not: the type and the text.
    fn fault(&self, name: &str, parameters: Value) -> (u16, String, String) {
        let (status, head, answer) = self.invoke(name, parameters);
        let kind = answer["error"]["innererror"]["type"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert!(head.contains(&format!("x-exceptiontype: {}", kind.to_lowercase())), "{head}");
        let parts = answer["error"]["details"][0]["message"].as_str().unwrap().splitn(3, '|').count();
        assert_eq!(parts, 3, "{answer}");
        (status, kind, answer["error"]["innererror"]["message"].as_str().unwrap().to_owned())
    }
}

fn with_mail() -> (Gateway, Sink) {
    let sink = Sink::start();
    let text = config(sink.address).replace("[\"ours.example\"]", "[\"ours.example\", \"theirs.example\"]");
    let gateway = Gateway::start(&text);
    let mut talk = Talk::from_outside(gateway.mx);
    for n in 0..5 {
        let to = ["b@ours.example", "c@ours.example"];
        assert!(talk.send("a@x.example", &to[..1 + n % 2], &bad(&format!("mail {n}"))).contains("taken as"));
    }
    assert!(talk.send("a@x.example", &["b@theirs.example"], &bad("theirs")).contains("taken as"));
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("good")).starts_with("250"));
    gateway.ledger();
    (gateway, sink)
}

#[test]
fn the_quarantine_in_its_words() {
    let (gateway, sink) = with_mail();
    let admin = Client::new(&gateway, "admin", &[]);
    // Its identity, its types, its states.
    let all = admin.objects(
        "get-quarantinemessage",
        json!({ "PageSize": 1000, "Page": 1, "QuarantineTypes": ["Malware", "Phish"] }),
    );
    assert_eq!(all.len(), 6);
    let newest = &all[0];
    let identity = newest["Identity"].as_str().unwrap();
    assert_eq!(identity.split_once('\\').map(|(one, other)| one == other), Some(true));
    assert_eq!(
        (newest["ReleaseStatus"].as_str(), newest["Type"].as_str(), newest["PolicyType"].as_str()),
        (Some("NOTRELEASED"), Some("Malware"), Some("AntiMalwarePolicy"))
    );
    assert_eq!(
        (newest["Released"].as_bool(), newest["SystemReleased"].as_bool(), newest["Detection"].as_str()),
        (Some(false), Some(false), Some("EIC-0001"))
    );
    assert_eq!(
        admin.objects("Get-QuarantineMessage", json!({ "Identity": identity }))[0]["Subject"],
        newest["Subject"]
    );
    let count = |parameters: Value| admin.objects("Get-QuarantineMessage", parameters).len();
    for (parameters, expected) in [
        (json!({}), 6),
        (json!({ "SenderAddress": ["a@x.example", "nobody@x.example"] }), 6),
        (json!({ "RecipientAddress": "c@ours.example" }), 2),
        (json!({ "RecipientAddress": ["c@ours.example", "b@theirs.example"] }), 3),
        (json!({ "Subject": "MAIL 3" }), 1),
        (json!({ "Subject": "mail" }), 0),
        (json!({ "Direction": "Outbound" }), 0),
        (json!({ "ReleaseStatus": "RELEASED" }), 0),
        (json!({ "StartReceivedDate": "2020-01-01", "EndReceivedDate": "2099-01-01T00:00:00Z" }), 6),
        (json!({ "EndReceivedDate": "2020-01-01" }), 0),
        (json!({ "Reported": true }), 0),
    ] {
        assert_eq!(count(parameters.clone()), expected, "{parameters}");
    }
    // Pages by number, and the rest of a page by its link: the same body again.
    let subjects =
        |objects: &[Value]| objects.iter().map(|one| one["Subject"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let by_number: Vec<String> = (1..=3)
        .flat_map(|page| subjects(&admin.objects("Get-QuarantineMessage", json!({ "PageSize": 2, "Page": page }))))
        .collect();
    assert_eq!(by_number, subjects(&all));
    assert!(admin.objects("Get-QuarantineMessage", json!({ "PageSize": 2, "Page": 4 })).is_empty());
    let body = json!({ "CmdletInput": { "CmdletName": "Get-QuarantineMessage", "Parameters": { "PageSize": 5 } } })
        .to_string();
    let (mut path, mut by_link) = ("/adminapi/beta/ours.example/InvokeCommand?$select=Subject".to_owned(), Vec::new());
    loop {
        let (status, _, answer) = admin.ask("POST", &path, "odata.maxpagesize=2", &body);
        assert_eq!(status, 200, "{answer}");
        assert!(answer["value"][0].as_object().unwrap().len() == 1, "only what was chosen: {answer}");
        by_link.extend(subjects(answer["value"].as_array().unwrap()));
        match answer["@odata.nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(by_link, subjects(&all)[..5]);
    // What is dangerous there is an error here.
    for (name, parameters, kind) in [
        ("Get-QuarantineMessage", json!({ "Identity": null }), "ArgumentException"),
        ("Get-QuarantineMessage", json!({ "Identity": "" }), "ArgumentException"),
        ("Get-QuarantineMessage", json!({ "Identity": "x\\y" }), "ArgumentException"),
        ("Get-QuarantineMessage", json!({ "Idenity": identity }), "ParameterBindingException"),
        ("Get-QuarantineMessage", json!({ "PageSize": 1001 }), "ArgumentException"),
        ("Get-QuarantineMessage", json!({ "QuarantineTypes": ["Virus"] }), "ArgumentException"),
        ("Get-QuarantineMessage", json!({ "ReleaseStatus": "Held" }), "ArgumentException"),
        ("Get-QuarantineMessage", json!({ "Direction": "sideways" }), "ArgumentException"),
        ("Get-QuarantineMessage", json!({ "EntityType": "Fax" }), "ArgumentException"),
        ("Get-QuarantinePolicy", json!({ "QuarantinePolicyType": "None" }), "ArgumentException"),
        ("Get-MessageTraceV2", json!({ "Status": "Held" }), "ArgumentException"),
        ("Release-QuarantineMessage", json!({ "Identity": identity }), "ArgumentException"),
        (
            "Release-QuarantineMessage",
            json!({ "Identity": identity, "ReleaseToAll": true, "User": ["b@ours.example"] }),
            "ArgumentException",
        ),
        ("Release-QuarantineMessage", json!({ "ReleaseToAll": true }), "ArgumentException"),
        ("Delete-QuarantineMessage", json!({ "Identity": identity, "HardDelete": true }), "ArgumentException"),
        ("Remove-Mailbox", json!({}), "CommandNotFoundException"),
    ] {
        let (status, said, text) = admin.fault(name, parameters.clone());
        assert_eq!((status, said.as_str()), (400, kind), "{name} {parameters}: {text}");
    }
    assert!(admin.objects("Get-QuarantineMessage", json!({ "EntityType": "teams" })).is_empty());
    let lower = json!({ "QuarantineTypes": ["malware"], "ReleaseStatus": "notreleased", "Direction": "INBOUND" });
    assert!(!admin.objects("Get-QuarantineMessage", lower).is_empty(), "in any case");
    let nobody = "01a2138d-dff8-74bb-b3b3-ded7ffdc467a";
    assert_eq!(
        admin.fault("Get-QuarantineMessage", json!({ "Identity": nobody })).1,
        "ManagementObjectNotFoundException"
    );
    assert_eq!(admin.ask("POST", "/adminapi/beta/elsewhere.example/InvokeCommand", "", &body).0, 404);
    assert_eq!(admin.ask("POST", "/adminapi/beta/ours.example/InvokeCommand", "", "{").0, 400);
    assert_eq!(gateway.account("held"), 8, "nothing of this has released anything");
    // To one, then to all; denied; deleted.
    let to = |subject: &str| all.iter().find(|one| one["Subject"] == subject).unwrap()["Identity"].clone();
    let done = admin.objects(
        "Release-QuarantineMessage",
        json!({ "Identity": to("mail 3"), "User": ["c@ours.example"], "WhatIf": true }),
    );
    assert_eq!(done[0]["Message"], "would be released");
    admin.objects(
        "Release-QuarantineMessage",
        json!({ "Identity": to("mail 3"), "User": ["c@ours.example"],
        "ReportFalsePositive": true, "AllowSender": true }),
    );
    admin.objects(
        "Release-QuarantineMessage",
        json!({ "Identities": [to("mail 0"), to("mail 1")], "Identity": "000", "ReleaseToAll": true }),
    );
    admin.objects("Release-QuarantineMessage", json!({ "Identity": to("mail 2"), "ActionType": "Deny" }));
    admin.objects("Delete-QuarantineMessage", json!({ "Identity": to("mail 4") }));
    let began = Instant::now();
    while gateway.account("released") != 4 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", gateway.ledger());
        std::thread::sleep(Duration::from_millis(50));
    }
    let (_, _, again) = admin
        .invoke("Release-QuarantineMessage", json!({ "Identity": to("mail 0"), "ReleaseToAll": true, "Force": true }));
    assert!(again["@adminapi.warnings"][0].as_str().unwrap().contains("not released again"), "{again}");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((gateway.account("released"), sink.got().len()), (4, 5), "four, and the one that passed");
    let part = admin.objects("Get-QuarantineMessage", json!({ "Identity": to("mail 3") })).remove(0);
    assert_eq!(
        (part["Released"].as_bool(), part["Reported"].as_bool(), part["ReleasedUser"].clone()),
        (Some(false), Some(true), json!(["c@ours.example"]))
    );
    assert_eq!(count(json!({ "ReleaseStatus": ["Denied", "Released"] })), 4, "one of them in part");
    // Reading it.
    let shown = admin.objects("Get-QuarantineMessageHeader", json!({ "Identity": to("mail 3") }));
    assert!(shown[0]["Header"].as_str().unwrap().contains("Subject: mail 3"));
    assert!(admin.objects("Preview-QuarantineMessage", json!({ "Identity": to("mail 3") }))[0]["Subject"] == "mail 3");
    let exported =
        admin.objects("Export-QuarantineMessage", json!({ "Identity": to("mail 3"), "ReasonForExport": "r" }));
    assert_eq!(exported[0]["BodyEncoding"], "Base64");
    assert_eq!(admin.objects("Get-QuarantinePolicy", json!({}))[2]["EndUserQuarantinePermissionsValue"], 55);
    // A role, and a domain, reach as far as everywhere else.
    let auditor = Client::new(&gateway, "auditor", &[]);
    assert_eq!(
        auditor.fault("Release-QuarantineMessage", json!({ "Identity": identity, "ReleaseToAll": true })).1,
        "RBACException"
    );
    let theirs = Client::new(&gateway, "analyst", &["--domain", "theirs.example"]);
    let seen = theirs.objects("Get-QuarantineMessage", json!({}));
    assert_eq!(subjects(&seen), ["theirs"]);
    assert_eq!(theirs.fault("Get-QuarantineMessage", json!({ "Identity": to("mail 2") })).0, 404);
    assert_eq!(theirs.objects("Get-AcceptedDomain", json!({})).len(), 1);
}

#[test]
fn lists_traces_and_batches() {
    let (gateway, _sink) = with_mail();
    let admin = Client::new(&gateway, "admin", &[]);
    let made = admin.objects(
        "New-TenantAllowBlockListItems",
        json!({ "ListType": "Sender", "Entries": ["evil@x.example", "evil.example"], "Block": true, "Notes": "fraud" }),
    );
    assert_eq!(
        (made.len(), made[0]["Action"].as_str(), made[1]["Value"].as_str()),
        (2, Some("Block"), Some("evil.example"))
    );
    let listed = |list: &str| admin.objects("Get-TenantAllowBlockListItems", json!({ "ListType": list }));
    assert_eq!((listed("Sender").len(), listed("Url").len()), (2, 0));
    admin.objects("Remove-TenantAllowBlockListItems", json!({ "ListType": "Sender", "Ids": [made[0]["Identity"]] }));
    admin.objects("Remove-TenantAllowBlockListItems", json!({ "ListType": "Sender", "Entries": ["EVIL.example"] }));
    assert!(listed("Sender").is_empty());
    let hash = "a".repeat(64);
    let (_, _, forever) = admin.invoke(
        "New-TenantAllowBlockListItems",
        json!({ "ListType": "FileHash", "Entries": [hash], "Allow": true, "NoExpiration": true }),
    );
    assert!(forever["@adminapi.warnings"][0].as_str().unwrap().contains("366 days"), "{forever}");
    for parameters in [
        json!({ "ListType": "Sender", "Entries": ["a@b.example"] }),
        json!({ "ListType": "Sender", "Entries": [], "Block": true }),
        json!({ "ListType": "File", "Entries": ["a"], "Block": true }),
        json!({ "ListType": "FileHash", "Entries": ["xyz"], "Block": true }),
        json!({ "ListType": "Sender", "Entries": ["a@b.example"], "Block": true, "ExpirationDate": "2020-01-01" }),
    ] {
        assert_eq!(admin.fault("New-TenantAllowBlockListItems", parameters.clone()).0, 400, "{parameters}");
    }
    // Traces.
    let traced = |parameters: Value| admin.objects("Get-MessageTraceV2", parameters);
    assert_eq!(traced(json!({})).len(), 9);
    assert_eq!(traced(json!({ "Status": "Delivered" })).len(), 1);
    assert_eq!(traced(json!({ "Status": ["Quarantined"], "RecipientAddress": "*@ours.example" })).len(), 7);
    let one = traced(json!({ "Subject": "good", "SubjectFilterType": "StartsWith", "SenderAddress": "a@x.example",
        "StartDate": "2020-01-01" }))
    .remove(0);
    assert_eq!((one["Status"].as_str(), one["Subject"].as_str()), (Some("Delivered"), Some("good")));
    let detail = admin.objects(
        "Get-MessageTraceDetailV2",
        json!({ "MessageTraceId": one["MessageTraceId"], "RecipientAddress": "b@ours.example" }),
    );
    assert_eq!(detail.iter().map(|one| one["Event"].as_str().unwrap()).collect::<Vec<_>>(), ["RECEIVE", "DELIVER"]);
    let body =
        json!({ "CmdletInput": { "CmdletName": "Get-MessageTraceV2", "Parameters": { "ResultSize": 4 } } }).to_string();
    let (_, _, answer) = admin.ask("POST", "/adminapi/beta/ours.example/InvokeCommand", "", &body);
    let (_, _, rest) = admin.ask("POST", answer["@odata.nextLink"].as_str().unwrap(), "", &body);
    assert_eq!((answer["value"].as_array().unwrap().len(), rest["value"].as_array().unwrap().len()), (4, 4));
    assert_ne!(answer["value"][3], rest["value"][0]);
    // A batch: one fault stops nobody.
    let call = |id: &str, name: &str| {
        let body = json!({ "CmdletInput": { "CmdletName": name, "Parameters": {} } });
        json!({ "id": id, "method": "POST", "url": "/adminapi/beta/ours.example/InvokeCommand", "headers": {},
            "body": body })
    };
    let batch = json!({ "requests": [call("1", "Get-AcceptedDomain"), call("2", "Nonsense"), call("3",
        "Get-QuarantinePolicy")] })
    .to_string();
    let (status, _, answer) =
        admin.ask("POST", "/adminapi/beta/ours.example/$batch", "odata.continue-on-error", &batch);
    let states: Vec<u64> =
        answer["responses"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!((status, states), (200, vec![200, 400, 200]), "{answer}");
    let (_, _, module) = admin.ask("GET", "/adminapi/v1.0/ours.example/EXOModuleFile?Version=3.9.2", "", "");
    assert!(module["value"][0]["exportedCmdlets"].as_array().unwrap().len() > 10);
    assert_eq!(admin.ask("GET", "/adminapi/v1.0/gw.example/EXOBanner('AutogenSession')?Version=3.9.2", "", "").0, 200);
    let stranger = Client { gateway: &gateway, token: "rpv_nothing".into() };
    assert_eq!(stranger.ask("POST", "/adminapi/beta/ours.example/InvokeCommand", "", &body).0, 401);
}

fn example(gateway: &Gateway, token: &str, program: &str, name: &str, words: &[&str]) -> Output {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples").join(name);
    let api = format!("http://{}", gateway.api);
    let mut command = Command::new(program);
    command
        .arg(path)
        .args(words)
        .env("REPRIEVE_API", api)
        .env("REPRIEVE_TOKEN", token)
        .env("REPRIEVE_TENANT", "ours.example");
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// The examples of the guide, run as they stand there.
#[test]
fn the_examples_of_the_guide() {
    let (gateway, _sink) = with_mail();
    let admin = Client::new(&gateway, "admin", &[]);
    let curl = example(&gateway, &admin.token, "bash", "quarantine.sh", &["mail 2"]);
    let said = String::from_utf8_lossy(&curl.stdout).into_owned();
    assert!(curl.status.success(), "{said} {}", String::from_utf8_lossy(&curl.stderr));
    assert!(said.contains("held by EIC-0001, version") && said.contains("would be released"), "{said}");
    let python = example(&gateway, &admin.token, "python3", "exchange.py", &[]);
    let said = String::from_utf8_lossy(&python.stdout).into_owned();
    assert!(python.status.success(), "{said} {}", String::from_utf8_lossy(&python.stderr));
    assert!(said.contains("6 held") && said.contains("theirs NOTRELEASED by EIC-0001"), "{said}");
    assert!(said.contains("b@theirs.example releasing") && said.contains("warning: Force has no effect"), "{said}");
}
