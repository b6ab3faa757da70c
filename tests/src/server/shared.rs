//! One server for a whole test run, although every test is a process of its own.
//!
//! The first process that needs it starts it. Every process that uses it holds a shared lock on a file
//! until it ends, however it ends; a watchdog that finds nobody holding it for a while stops the server.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::cluster::Cluster;

/// For how long nobody may need the server before it goes, in seconds.
const IDLE: &str = "15";

/// Stops the server once nobody uses it: takes the lock of starters, then the lock of users.
const WATCHDOG: &str = r#"
idle=0
while [ "$idle" -lt "$2" ]; do
    sleep 1
    if flock --exclusive --nonblock "$1.users" true; then idle=$((idle + 1)); else idle=0; fi
done
exec 8>"$1.start"
flock --exclusive 8
flock --exclusive --nonblock "$1.users" true || exec sh -c "$3" watchdog "$1" "$2" "$3"
kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"
while [ -e "$1/.s.PGSQL.5432" ]; do sleep 0.1; done
rm -rf "$1"
"#;

/// The server of this test run, started where it does not run yet.
pub(super) fn cluster() -> &'static Cluster {
    static SHARED: OnceLock<(Cluster, File)> = OnceLock::new();
    &SHARED.get_or_init(start).0
}

fn start() -> (Cluster, File) {
    let folder = folder();
    let lock = |suffix: &str| {
        let path = format!("{}.{suffix}", folder.display());
        fs::OpenOptions::new().create(true).write(true).truncate(false).open(path).unwrap()
    };
    let starting = lock("start");
    starting.lock().unwrap();
    let using = lock("users");
    using.lock_shared().unwrap();
    let cluster = Cluster::at(folder);
    if !cluster.answers() {
        cluster.create();
        cluster.launch();
        watch(&cluster);
    }
    (cluster, using)
}

#[allow(clippy::zombie_processes, reason = "the watchdog outlives whoever starts it")]
fn watch(cluster: &Cluster) {
    let folder = cluster.folder().display().to_string();
    // Without the output of the test, or a runner would wait for it to be closed.
    Command::new("sh")
        .args(["-c", WATCHDOG, "watchdog", &folder, IDLE, WATCHDOG])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
}

/// One folder per checkout and user, so that two checkouts do not meet.
fn folder() -> PathBuf {
    let seed = format!("{}{}", env!("CARGO_MANIFEST_DIR"), std::env::var("USER").unwrap_or_default());
    let hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    std::env::temp_dir().join(format!("commerce-test-postgres-{hash:016x}"))
}
