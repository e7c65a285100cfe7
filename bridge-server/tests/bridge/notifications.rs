//! Ten bridges as processes on loopback, each with a SQLite file of its own: what was acknowledged is never lost,
//! whatever happens to one of them.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nano_core::{BlockHash, Network, PublicKey, Raw, WorkNonce};
use nanonet::Rng;
use nanonet::notify::{MAX_TTL_S, Payment, RecipientSecret, Sealed, TagKind, base_difficulty};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::common::DEADLINE;

/// Processes.
const BRIDGES: usize = 10;
/// Times that one of them is killed while notifications are written.
const KILLS: u64 = 50;

/// One bridge: a process, or none at present.
struct Relay {
    folder: PathBuf,
    port: u16,
    process: Option<Child>,
    /// Ports of bridges it dials.
    dials: Vec<u16>,
    mebibytes: u32,
    /// Its data folder is a small or read-only disk of its own: what mounts it.
    mount: Option<String>,
}

impl Relay {
    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/v1/notifications{path}", self.port)
    }

    fn start(&mut self) {
        let mut words: Vec<String> = [
            "run",
            "--network",
            "dev",
            "--relay-only",
            "--json",
            "--listen",
        ]
        .map(str::to_owned)
        .to_vec();
        words.push(format!("127.0.0.1:{}", self.port));
        words.extend(["--data".to_owned(), self.folder.display().to_string()]);
        words.extend(["--notifications".to_owned(), self.mebibytes.to_string()]);
        for port in &self.dials {
            words.extend(["--bridge".to_owned(), format!("127.0.0.1:{port}")]);
        }
        let program = env!("CARGO_BIN_EXE_bridge-server");
        let mut command = match &self.mount {
            None => Command::new(program),
            Some(mount) => {
                // A mount of its own in a namespace of its own: no rights are needed.
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
                command.arg(format!("{mount} && exec \"$0\" \"$@\""));
                command.arg(program);
                command
            }
        };
        let mut process = command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = process.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert!(line.contains("ready"), "{line:?}");
        self.process = Some(process);
    }

    /// The end without a farewell, as `kill -9` is.
    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.kill();
    }
}

/// All of them.
struct Net {
    relays: Vec<Relay>,
    http: reqwest::Client,
    _folder: TempDir,
    rng: Rng,
    /// Names of what was acknowledged, and the tags they lie under.
    acknowledged: Vec<(String, String)>,
    refusals: Vec<String>,
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

impl Net {
    async fn start(seed: u8, count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let relays = (0..count).map(|place| Relay {
            folder: folder.path().join(format!("bridge-{place}")),
            port: ports[place],
            process: None,
            dials: ports
                .iter()
                .copied()
                .filter(|port| *port != ports[place])
                .collect(),
            mebibytes: 256,
            mount: None,
        });
        let mut net = Self {
            relays: relays.collect(),
            http: reqwest::Client::builder()
                .timeout(DEADLINE)
                .build()
                .unwrap(),
            _folder: folder,
            rng: Rng::from_seed([seed; 32]),
            acknowledged: Vec::new(),
            refusals: Vec::new(),
        };
        for relay in &mut net.relays {
            relay.start();
        }
        for place in 0..count {
            net.listed(place, count).await;
        }
        net
    }

    async fn status(&self, place: usize) -> Option<Value> {
        let reply = self
            .http
            .get(self.relays[place].url("/status"))
            .send()
            .await
            .ok()?;
        reply.json().await.ok()
    }

    /// Waits until a bridge's directory lists so many.
    async fn listed(&self, place: usize, count: usize) {
        let end = Instant::now() + DEADLINE;
        loop {
            let status = self.status(place).await;
            let listed = status.and_then(|status| status["directory"]["bridges"].as_u64());
            if listed == Some(count as u64) {
                return;
            }
            assert!(
                Instant::now() < end,
                "bridge {place} lists {listed:?} of {count}"
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// A notification for a recipient of its own, with work.
    fn notification(&mut self) -> Value {
        let recipient = RecipientSecret::from_seed(&self.rng.array()).key();
        let payment = Payment {
            ephemeral: PublicKey::from_bytes(self.rng.array()),
            transaction: BlockHash::from_bytes(self.rng.array()),
            amount: Raw::new(1),
            nonce: self.rng.array(),
            memo: None,
        };
        let now = bridge_server::clock::now();
        let kind = TagKind::Rotating;
        let sealed = Sealed::new(&payment, &recipient, kind, MAX_TTL_S, now, &mut self.rng);
        let mut sealed = sealed.unwrap();
        let needed = base_difficulty(Network::Dev);
        let mut nonces = (0..).map(WorkNonce::new);
        let good = nonces.find(|nonce| nonce.difficulty(&sealed.hash.root()) >= needed);
        sealed.work = good.unwrap();
        as_json(&sealed)
    }

    /// Puts one by way of a bridge; whether it was acknowledged.
    async fn put(&mut self, by: usize) -> bool {
        let form = self.notification();
        let reply = self
            .http
            .post(self.relays[by].url(""))
            .json(&form)
            .send()
            .await;
        let Ok(reply) = reply else { return false };
        let good = reply.status().is_success();
        let body: Value = reply.json().await.unwrap_or_default();
        if good {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            self.acknowledged
                .push((text(&form["hash"]), text(&form["recipient_pubkey"])));
        } else {
            self.refusals.push(body["error"].to_string());
        }
        good
    }

    /// Names under a tag, as a bridge finds them at all that keep them.
    async fn found(&self, by: usize, tag: &str) -> Vec<String> {
        let url = self.relays[by].url(&format!("?recipient_pubkey={tag}"));
        let body: Value = self
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let found = body["notifications"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        found
            .iter()
            .map(|one| one["hash"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn lost(&self, by: usize) -> usize {
        let mut lost = 0;
        for (hash, tag) in &self.acknowledged {
            if !self.found(by, tag).await.contains(hash) {
                lost += 1;
            }
        }
        lost
    }
}

fn as_json(sealed: &Sealed) -> Value {
    json!({
        "version": sealed.version,
        "hash": sealed.hash.to_string(),
        "timestamp": sealed.timestamp.number(),
        "ttl": sealed.ttl_s,
        "recipient_pubkey": hex::encode(sealed.tag.as_bytes()),
        "encrypted_payload": hex::encode(&sealed.payload),
        "nonce": hex::encode(sealed.nonce),
        "work": sealed.work.to_string(),
    })
}

/// Everything in the file of a bridge whose process is gone.
fn in_file(folder: &Path) -> Vec<Vec<u8>> {
    let path = folder.join("notifications.sqlite");
    let file = rusqlite::Connection::open(path).unwrap();
    let mut all = file.prepare("SELECT address FROM notification").unwrap();
    let rows = all.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_a_process_is_killed_at_fifty_points_of_its_writes() {
    let mut net = Net::start(1, BRIDGES).await;
    for kill in 0..KILLS {
        let victim = usize::try_from(kill).unwrap() % BRIDGES;
        // Ways in that stay; the victim takes part as one of those who keep.
        let by = (victim + 1 + usize::try_from(net.rng.below(8)).unwrap()) % BRIDGES;
        let at = Duration::from_micros(u64::from(net.rng.below(40_000)));
        let dead = Arc::new(AtomicBool::new(false));
        let mut process = net.relays[victim].process.take().unwrap();
        let told = Arc::clone(&dead);
        let killer = std::thread::spawn(move || {
            std::thread::sleep(at);
            process.kill().unwrap();
            process.wait().unwrap();
            told.store(true, Ordering::SeqCst);
        });
        while !dead.load(Ordering::SeqCst) {
            net.put(by).await;
        }
        killer.join().unwrap();
        let before = in_file(&net.relays[victim].folder).len();
        net.relays[victim].start();
        let held = net.status(victim).await.unwrap()["held"].as_u64().unwrap();
        assert!(held >= before as u64, "{held} of {before} at kill {kill}");
    }
    let acknowledged = net.acknowledged.len();
    assert!(
        acknowledged >= usize::try_from(KILLS).unwrap(),
        "{acknowledged}: {:?}",
        net.refusals
    );
    assert_eq!(net.lost(0).await, 0, "of {acknowledged}");
    // Also without any one of them.
    net.relays[3].kill();
    assert_eq!(net.lost(5).await, 0, "of {acknowledged}");
}

#[tokio::test]
async fn a_receipt_means_that_the_file_has_it() {
    let mut net = Net::start(2, 3).await;
    for _ in 0..20 {
        assert!(net.put(0).await, "{:?}", net.refusals);
    }
    for relay in &mut net.relays {
        relay.kill();
    }
    // Three bridges, three receipts: every file has every one.
    for relay in &net.relays {
        assert_eq!(in_file(&relay.folder).len(), 20);
    }
}

#[tokio::test]
async fn a_full_and_a_read_only_disk_stop_promises_of_that_bridge_alone() {
    let mut net = Net::start(3, 5).await;
    for _ in 0..5 {
        assert!(net.put(0).await, "{:?}", net.refusals);
    }
    for (victim, small) in [(1, true), (2, false)] {
        net.relays[victim].kill();
        let folder = net.relays[victim].folder.display().to_string();
        let mount = if small {
            // A disk with room for the file as it is and a little more.
            format!(
                "cp -a '{folder}' '{folder}.old' && mount -t tmpfs -o size=1200k tmpfs '{folder}' && cp -a '{folder}.old/.' '{folder}'"
            )
        } else {
            // The file becomes one that can only be read; the rest of the folder stays.
            format!(
                "cd '{folder}' && for file in notifications.sqlite*; do mount --bind \"$file\" \"$file\" && mount -o remount,bind,ro \"$file\"; done"
            )
        };
        net.relays[victim].mount = Some(mount);
        net.relays[victim].start();
    }
    let mut refused = [false; 2];
    for round in 0..600 {
        // Two of five refuse sooner or later, three go on.
        assert!(net.put(3).await, "{round}: {:?}", net.refusals);
        if round % 20 == 19 {
            for (place, victim) in [1, 2].into_iter().enumerate() {
                let text = reqwest::get(format!(
                    "http://127.0.0.1:{}/metrics",
                    net.relays[victim].port
                ));
                let text = text.await.unwrap().text().await.unwrap();
                let kind = ["disk-full", "read-only"][place];
                refused[place] |= text.contains(&format!("notify_faults_total{{kind=\"{kind}\"}}"));
            }
            if refused == [true; 2] {
                break;
            }
        }
    }
    assert_eq!(refused, [true; 2]);
    // They still hand out what they have, and nothing is lost.
    for by in 0..5 {
        assert_eq!(net.lost(by).await, 0, "asked at {by}");
    }
}

#[tokio::test]
async fn what_a_bridge_missed_comes_to_it_by_gossip_and_a_damaged_file_is_refused() {
    let mut net = Net::start(4, 4).await;
    net.relays[0].kill();
    for _ in 0..10 {
        assert!(net.put(1).await, "{:?}", net.refusals);
    }
    net.relays[0].start();
    let end = Instant::now() + DEADLINE;
    // All four keep everything: it asks the others as soon as it is linked.
    while net.status(0).await.unwrap()["held"] != 10 {
        assert!(Instant::now() < end, "{:?}", net.status(0).await);
        sleep(Duration::from_millis(200)).await;
    }
    net.relays[0].kill();
    let file = net.relays[0].folder.join("notifications.sqlite");
    std::fs::write(&file, vec![7; 8_192]).unwrap();
    let folder = net.relays[0].folder.display().to_string();
    let program = env!("CARGO_BIN_EXE_bridge-server");
    let words = [
        "run",
        "--network",
        "dev",
        "--relay-only",
        "--listen",
        "127.0.0.1:0",
        "--data",
    ];
    let output = Command::new(program)
        .args(words)
        .arg(folder)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("notifications.sqlite") && text.contains("put back a copy"),
        "{text}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), vec![7; 8_192], "left alone");
    assert_eq!(net.lost(2).await, 0);
}
