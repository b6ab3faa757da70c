//! One PostgreSQL server on a Unix socket, in a folder of its own.

use std::fs;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use super::account::Account;

/// Where distributions put the server's programs, besides the PATH.
const FOLDERS: [&str; 3] = ["/usr/lib/postgresql", "/usr/local/pgsql", "/usr/local/bin"];
/// What to do about a missing server.
const MISSING: &str = "no PostgreSQL (initdb, postgres, psql) found: run scripts/install-servers, \
                       or name a server in COMMERCE_TEST_POSTGRES";

/// A PostgreSQL server in a folder of its own; stopped when it is dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    durable: bool,
    stop: bool,
    /// The process that this one started; taken note of when it is killed.
    started: Mutex<Option<Child>>,
}

impl Cluster {
    /// Starts a server that nobody else uses; `durable` keeps `fsync` on.
    pub fn start(durable: bool) -> Self {
        let name = format!("commerce-postgres-{}-{:x}", std::process::id(), unique());
        let cluster =
            Self { folder: std::env::temp_dir().join(name), durable, stop: true, started: Mutex::default() };
        cluster.create();
        cluster.launch();
        cluster
    }

    /// Starts a server that follows this one, for reading only.
    pub fn replica(&self) -> Self {
        let name = format!("commerce-postgres-{}-{:x}", std::process::id(), unique());
        let replica = Self {
            folder: std::env::temp_dir().join(name),
            durable: self.durable,
            stop: true,
            started: Mutex::default(),
        };
        fs::create_dir_all(&replica.folder).unwrap();
        let account = Account::get();
        account.own(&replica.folder);
        let output = account
            .command(&program("pg_basebackup"))
            .current_dir(&replica.folder)
            .args(["--username=postgres", "--port=5432", "--write-recovery-conf", "--checkpoint=fast"])
            .args(["--wal-method=stream", "--no-sync"])
            .arg("--host")
            .arg(&self.folder)
            .arg("--pgdata")
            .arg(replica.data())
            .output();
        succeeded("pg_basebackup", output);
        replica.launch();
        replica
    }

    /// The server of this folder, which somebody else stops.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder, durable: false, stop: false, started: Mutex::default() }
    }

    /// Lays the folder out.
    pub(super) fn create(&self) {
        let account = Account::get();
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).unwrap();
        account.own(&self.folder);
        let output = account
            .command(&program("initdb"))
            .current_dir(&self.folder)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(self.data())
            .output();
        succeeded("initdb", output);
    }

    /// Starts the server's process and waits until it answers.
    #[allow(clippy::zombie_processes, reason = "the server outlives whoever starts it")]
    pub fn launch(&self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let mut command = Account::get().command(&program("postgres"));
        command.current_dir(&self.folder).arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        for setting in self.settings() {
            command.arg("-c").arg(setting);
        }
        // A group of its own: what ends the tests with a signal must not look like the server's end.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut process = command.spawn().expect(MISSING);
        for _ in 0..1200 {
            if self.answers() {
                *self.started.lock().unwrap() = Some(process);
                return;
            }
            if let Ok(Some(status)) = process.try_wait() {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("PostgreSQL ended with {status}:\n{log}");
            }
            sleep(Duration::from_millis(25));
        }
        panic!("PostgreSQL did not answer within 30 seconds");
    }

    fn settings(&self) -> Vec<&'static str> {
        let mut settings = vec![
            "listen_addresses=",
            "max_connections=300",
            "max_prepared_transactions=4",
            "shared_buffers=128MB",
            "shared_preload_libraries=pg_stat_statements",
            "autovacuum_naptime=10s",
            "log_min_messages=warning",
            "log_line_prefix=%m %d ",
        ];
        if !self.durable {
            settings.extend(["fsync=off", "full_page_writes=off", "synchronous_commit=off"]);
        }
        settings
    }

    /// Whether a connection gets past the start of the server.
    pub(super) fn answers(&self) -> bool {
        UnixStream::connect(self.socket()).is_ok() && self.try_psql("postgres", "select 1").is_ok()
    }

    /// Waits until it answers again after one of its processes was killed.
    pub fn wait(&self) {
        for _ in 0..1200 {
            if self.answers() {
                return;
            }
            sleep(Duration::from_millis(25));
        }
        panic!("the server does not recover");
    }

    /// The folder that holds everything of it.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The socket on which it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// What the server wrote into its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres&port=5432", self.folder.display())
    }

    /// The process id of the server, for tests that kill it.
    pub fn process(&self) -> u32 {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().trim().parse().unwrap()
    }

    /// Runs SQL through the server's own client.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.try_psql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn try_psql(&self, database: &str, sql: &str) -> Result<String, String> {
        psql(&self.url(database), sql)
    }

    /// Kills the server as a crash would, all of its processes at once, and waits until they are gone.
    pub fn kill(&self) {
        let first = self.process();
        let mut all = children(first);
        all.push(first);
        let _ = Command::new("kill").arg("-KILL").args(all.iter().map(u32::to_string)).output();
        if let Some(mut started) = self.started.lock().unwrap().take() {
            let _ = started.wait();
        }
        for _ in 0..1000 {
            if all.iter().all(|process| !runs(*process)) {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        panic!("the killed server still runs");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.stop {
            if self.data().join("postmaster.pid").is_file() {
                self.kill();
            }
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The parent and the state of a process.
fn parent(process: &str) -> Option<(u32, char)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

/// The processes that a process started.
fn children(of: u32) -> Vec<u32> {
    let entries: Vec<_> = fs::read_dir("/proc").into_iter().flatten().flatten().collect();
    let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let ours = names.filter(|name| parent(name).is_some_and(|(parent, _)| parent == of));
    ours.filter_map(|name| name.parse().ok()).collect()
}

/// Whether a process is there and more than a name that nobody has taken note of yet.
fn runs(process: u32) -> bool {
    parent(&process.to_string()).is_some_and(|(_, state)| state != 'Z')
}

/// Runs SQL through `psql`.
pub(super) fn psql(url: &str, sql: &str) -> Result<String, String> {
    let mut command = Command::new(program("psql"));
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", url]);
    let output = command.args(["-c", sql]).stdin(Stdio::null()).output().expect(MISSING);
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn succeeded(what: &str, output: std::io::Result<Output>) {
    let output = output.expect(MISSING);
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A program of the newest version that is installed.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in FOLDERS {
        let mut versions: Vec<PathBuf> = fs::read_dir(folder)
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect())
            .unwrap_or_default();
        versions.sort();
        folders.extend(versions.into_iter().rev());
        folders.push(Path::new(folder).to_path_buf());
        folders.push(Path::new(folder).join("bin"));
    }
    folders.extend(std::env::split_paths(&path));
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{MISSING}"))
}

/// A number that no other call of this process gives.
pub(super) fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let time = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let nanos = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| u64::from(since.subsec_micros()));
    ((time << 20 | nanos) << 8) | (NEXT.fetch_add(1, Ordering::Relaxed) & 0xff)
}
