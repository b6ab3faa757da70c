//! Under which account a server runs: PostgreSQL refuses to be root.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Who a server runs as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The account to change to; `None` where this process is not root.
    other: Option<(u32, u32)>,
}

impl Account {
    /// The account that servers of this process run under.
    pub(super) fn get() -> &'static Self {
        static ACCOUNT: OnceLock<Account> = OnceLock::new();
        ACCOUNT.get_or_init(|| {
            if id(&["-u"]) != Some(0) {
                return Self { other: None };
            }
            let known = ["postgres", "nobody"]
                .iter()
                .find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
                .expect("root needs an account `postgres` or `nobody` to run PostgreSQL under");
            Self { other: Some(known) }
        })
    }

    /// A command that runs under the account.
    pub(super) fn command(&self, program: &Path) -> Command {
        let Some((user, group)) = self.other else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
        command.arg(program);
        command
    }

    /// Hands a folder to the account.
    pub(super) fn own(&self, folder: &Path) {
        if let Some((user, group)) = self.other {
            std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
        }
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().parse().ok())?
}
