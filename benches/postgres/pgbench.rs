//! The server's own load generator, with the statements that a careful host would write.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use commerce_tests::server::Cluster;

use crate::by_hand::{ALL, EVENTS_ONLY};
use crate::rate::SPAN;

/// What each of its sessions runs again and again.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    database: String,
    text: String,
    /// At most so many sessions: a server of two processors does less with more.
    sessions: u64,
}

/// Numbers that no other session of any run gives, growing: the keys of everything that is written.
const NUMBER: &str = "\\set n :n + 1\n\\set order (:run * 1000 + :client_id) * 1000000 + :n\n";
/// A key with the number in front, as the library's are ordered by time.
fn id(part: u32) -> String {
    format!("(lpad(to_hex(:order::bigint), 16, '0') || '7000800000000{part:03}')::uuid")
}

/// Puts expressions in the place of a statement's parameters, from the last so that `$1` is not part of `$12`.
fn filled(statement: &str, parameters: &[String]) -> String {
    let flat = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let numbered = parameters.iter().enumerate().rev();
    numbered.fold(flat, |text, (index, expression)| text.replace(&format!("${}", index + 1), expression))
}

impl Script {
    /// An order, in the one statement that (b) sends.
    pub(crate) fn order(database: &str, sessions: u64) -> Self {
        // A colon before a letter would be a variable.
        let spread = |line: u32| {
            format!("'stock' || chr(58) || 'SKU-' || ((:spread + {}) % 1000) || '@main'", line * 331)
        };
        let parameters = [
            format!("array[{}, {}, {}]::text[]", spread(0), spread(1), spread(2)),
            id(1),
            "array[1, 2]::bigint[]".to_owned(),
            format!("array[{}, {}]", id(2), id(3)),
            "array[convert_to(:data, 'UTF8'), convert_to(:data, 'UTF8')]".to_owned(),
            "'order-number/N-' || :order".to_owned(),
            format!("'command/' || {}", id(4)),
            format!("'order:' || {} || '#payment'", id(1)),
        ];
        let text = format!("{NUMBER}\\set spread random(0, 999)\n{};\n", filled(ALL, &parameters));
        Self { database: database.to_owned(), text, sessions }
    }

    /// One event of a new stream, in one statement.
    pub(crate) fn event(database: &str, sessions: u64) -> Self {
        let parameters = [id(1), id(2), "convert_to(:data, 'UTF8')".to_owned()];
        let text = format!("{NUMBER}{};\n", filled(EVENTS_ONLY, &parameters));
        Self { database: database.to_owned(), text, sessions }
    }

    /// Transactions per second.
    pub(crate) fn run(&self, cluster: &Cluster, tasks: u64) -> u64 {
        static RUN: AtomicU64 = AtomicU64::new(1);
        let file = std::env::temp_dir().join(format!("commerce-pgbench-{}.sql", std::process::id()));
        std::fs::write(&file, &self.text).unwrap();
        let run = RUN.fetch_add(1, Ordering::Relaxed);
        let sessions = tasks.min(self.sessions).to_string();
        let mut command = Command::new("pgbench");
        command.args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--client", &sessions]);
        command.args(["--time", &SPAN.as_secs().to_string(), "-D", "n=0", "-D", &format!("run={run}")]);
        command.args(["-D", &format!("data={}", "x".repeat(590))]).arg("--file").arg(&file);
        command.env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan");
        let output = command.arg(cluster.url(&self.database)).stdin(Stdio::null()).output();
        let output = output.expect("pgbench comes with PostgreSQL: run scripts/install-servers");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        number(&text, "tps = ")
    }
}

/// The whole number behind a label.
fn number(text: &str, label: &str) -> u64 {
    let behind = text.split(label).nth(1).unwrap_or_else(|| panic!("no `{label}` in {text}"));
    behind.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}
