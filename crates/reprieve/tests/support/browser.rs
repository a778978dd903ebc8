//! A real browser: Chromium, driven over WebDriver (W3C) by plain HTTP.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);
/// What an element is called in answers (WebDriver section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts one; its profile is new and goes with it.
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver, of Debian's package chromium-driver");
        let mut browser = Self { driver, port, session: String::new() };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "chromedriver does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": args } } } });
        let session = browser.ask("POST", "/session", &wanted);
        session["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: \
                application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::new(socket);
        let mut length = 0;
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        lines.read_exact(&mut answer).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["value"]["error"].is_null(), "{method} {path}: {answer}");
        answer["value"].clone()
    }

    fn command(&self, name: &str, body: Value) -> Value {
        self.ask("POST", &format!("/session/{}/{name}", self.session), &body)
    }

    /// Goes to a page, and waits until it is loaded.
    pub(crate) fn go(&self, url: &str) {
        self.command("url", json!({ "url": url }));
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        self.ask("GET", &format!("/session/{}/url", self.session), &Value::Null).as_str().unwrap().to_owned()
    }

    /// Runs a script of the test's own, which no policy of the page binds, and brings its result.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("execute/sync", json!({ "script": script, "args": [] }))
    }

    fn find(&self, css: &str) -> String {
        let began = Instant::now();
        loop {
            let all = self.command("elements", json!({ "using": "css selector", "value": css }));
            if let Some(one) = all.as_array().and_then(|all| all.first()) {
                return one[ELEMENT].as_str().unwrap().to_owned();
            }
            assert!(began.elapsed() < PATIENCE, "there is no {css} on {}", self.url());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks as a person does, on what is seen.
    pub(crate) fn click(&self, css: &str) {
        let element = self.find(css);
        self.command(&format!("element/{element}/click"), json!({}));
    }

    /// Types into a field.
    pub(crate) fn type_into(&self, css: &str, text: &str) {
        let element = self.find(css);
        self.command(&format!("element/{element}/value"), json!({ "text": text }));
    }

    /// The text of an element as it is seen.
    pub(crate) fn text(&self, css: &str) -> String {
        let element = self.find(css);
        let path = format!("/session/{}/element/{element}/text", self.session);
        self.ask("GET", &path, &Value::Null).as_str().unwrap().to_owned()
    }

    /// Waits until a script's result is true.
    pub(crate) fn until(&self, script: &str) {
        let began = Instant::now();
        while self.run(script) != Value::Bool(true) {
            assert!(began.elapsed() < PATIENCE, "on {} it never comes true that {script}", self.url());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What is seen, as a PNG file.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let seen = self.ask("GET", &format!("/session/{}/screenshot", self.session), &Value::Null);
        STANDARD.decode(seen.as_str().unwrap()).unwrap()
    }

    /// Draws with the pointer from one element to another.
    pub(crate) fn drag(&self, from: &str, to: &str) {
        let place = |css: &str| {
            let script = format!(
                "const box = document.querySelector('{css}').getBoundingClientRect(); return [Math.round(box.x + \
                    box.width / 2), Math.round(box.y + box.height / 2)]"
            );
            self.run(&script)
        };
        let (from, to) = (place(from), place(to));
        let step = |at: &Value| json!({ "type": "pointerMove", "duration": 100, "x": at[0], "y": at[1] });
        let actions = json!([step(&from), { "type": "pointerDown", "button": 0 }, step(&to), { "type": "pointerUp",
            "button": 0 }]);
        self.command("actions", json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": actions }] }));
    }

    /// Looks at the page as it is: everybody can use it, light and dark (axe-core, which `REPRIEVE_TEST_AXE` names);
    /// and keeps pictures of it where [`Browser::keep`] does.
    pub(crate) fn look_at(&self, name: &str) {
        let faults = self.faults();
        assert!(faults.is_empty(), "{name}, {}:\n{}", self.url(), faults.join("\n"));
        self.keep(name);
    }

    /// What axe-core finds wrong with the page: rule, element, and why.
    fn faults(&self) -> Vec<String> {
        let Some(axe) = std::env::var_os("REPRIEVE_TEST_AXE") else {
            assert!(std::env::var("CI").is_err(), "REPRIEVE_TEST_AXE is not set; the test command sets it");
            return Vec::new();
        };
        self.run(&std::fs::read_to_string(axe).unwrap());
        let mut faults = self.axe("{ resultTypes: ['violations'] }");
        self.dark(true);
        faults.extend(self.axe("{ runOnly: ['color-contrast'] }"));
        self.dark(false);
        faults
    }

    fn axe(&self, options: &str) -> Vec<String> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; axe.run(document, {options}).then(found => \
                done(found.violations.flatMap(\
             rule => rule.nodes.map(node => rule.id + ' ' + node.target.join(' ') + ': ' + node.failureSummary))), \
             fault => done(['axe: ' + fault]))"
        );
        let found = self.command("execute/async", json!({ "script": script, "args": [] }));
        found.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_owned()).collect()
    }

    /// Keeps a picture in the folder that `REPRIEVE_PICTURES` names, if it names one: light, dark, and narrow.
    pub(crate) fn keep(&self, name: &str) {
        let Ok(folder) = std::env::var("REPRIEVE_PICTURES") else { return };
        let take = |how: &str| std::fs::write(format!("{folder}/{name}-{how}.png"), self.picture()).unwrap();
        take("light");
        self.dark(true);
        take("dark");
        self.dark(false);
        self.resize(500, 900);
        take("narrow");
        self.resize(1280, 900);
    }

    /// Whether pages are asked to be dark.
    pub(crate) fn dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.command("goog/cdp/execute", json!({ "cmd": "Emulation.setEmulatedMedia", "params": media }));
    }

    /// Runs no script of any page from the next page on, or runs them again.
    pub(crate) fn without_scripts(&self, is_without: bool) {
        let ask = json!({ "cmd": "Emulation.setScriptExecutionDisabled", "params": { "value": is_without } });
        self.command("goog/cdp/execute", ask);
    }

    /// Makes the window so wide.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.command("window/rect", json!({ "width": width, "height": height }));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // The browser ends with its session; the driver alone would leave it.
            let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.port)) else { return };
            let _ = socket.set_read_timeout(Some(Duration::from_secs(10)));
            let end =
                format!("DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n", self.session);
            let _ = socket.write_all(end.as_bytes());
            let _ = socket.read(&mut [0; 1024]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
