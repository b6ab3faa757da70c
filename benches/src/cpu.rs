//! Processor time of the server and of this process: what is left to compare where a machine is shared.

use std::fs;

/// Ticks of 10 ms since the start: of the server's processes, and of this one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// The server's.
    pub server: u64,
    /// This process's.
    pub client: u64,
}

impl Cpu {
    /// As it stands now; `first` is the server's first process.
    pub fn now(first: u32) -> Self {
        let mut cpu = Self { client: of("self").map_or(0, |(_, ticks)| ticks), ..Self::default() };
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(process) = name.parse::<u32>() else { continue };
            if let Some((parent, ticks)) = of(&name) {
                cpu.server += if parent == first || process == first { ticks } else { 0 };
            }
        }
        cpu
    }

    /// Whole microseconds per order since an earlier look.
    pub fn per(self, earlier: Self, orders: u64) -> (u64, u64) {
        let micros = |now: u64, before: u64| now.saturating_sub(before) * 10_000 / orders.max(1);
        (micros(self.server, earlier.server), micros(self.client, earlier.client))
    }
}

/// The parent of a process and the ticks that it ran.
fn of(process: &str) -> Option<(u32, u64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some((fields.get(1)?.parse().ok()?, ticks))
}
