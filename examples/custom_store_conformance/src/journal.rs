//! The file: records of length, checksum and JSON, on the disk before their commit is acknowledged.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use commerce_core::kernel::commit::Commit;

#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    /// Locked for as long as the journal is open.
    directory: File,
    /// Gone once a write has failed, because nobody knows what it left: the store is to be opened again.
    file: Option<File>,
}

impl Journal {
    /// Opens a folder's journal, for one process at a time, and reads its commits. A last record that a
    /// crash cut off was never acknowledged and is removed.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Vec<Commit>)> {
        fs::create_dir_all(folder)?;
        let directory = File::open(folder)?;
        directory.try_lock()?;
        let mut file = File::options().read(true).append(true).create(true).open(folder.join("journal"))?;
        let (commits, end) = read(&mut file)?;
        file.set_len(end)?;
        file.sync_all()?;
        directory.sync_all()?;
        Ok((Self { folder: folder.to_owned(), directory, file: Some(file) }, commits))
    }

    /// Writes a commit behind the others.
    pub(crate) fn append(&mut self, commit: &Commit) -> io::Result<()> {
        let mut file = self.file.take().ok_or_else(|| io::Error::other("an earlier write failed"))?;
        file.write_all(&record(commit)?)?;
        file.sync_data()?;
        self.file = Some(file);
        Ok(())
    }

    /// Changes every commit that it holds, adds one, and puts them in the place of the old file at once.
    pub(crate) fn rewrite(&mut self, last: Commit, by: impl Fn(Commit) -> Commit) -> io::Result<Vec<Commit>> {
        self.file.take().ok_or_else(|| io::Error::other("an earlier write failed"))?;
        let (old, new) = (self.folder.join("journal"), self.folder.join("journal.new"));
        let (commits, _) = read(&mut File::open(&old)?)?;
        let commits: Vec<_> = commits.into_iter().chain([last]).map(by).collect();
        let mut file = File::create(&new)?;
        commits.iter().try_for_each(|commit| file.write_all(&record(commit)?))?;
        file.sync_all()?;
        fs::rename(new, old)?;
        self.directory.sync_all()?;
        self.file = Some(file);
        Ok(commits)
    }
}

fn record(commit: &Commit) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(commit)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    Ok([&length.to_le_bytes()[..], &checksum(&body).to_le_bytes(), &body].concat())
}

/// Reads up to the end or to a record that was cut off; says where the last whole one ends.
fn read(file: &mut File) -> io::Result<(Vec<Commit>, u64)> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let (mut commits, mut rest) = (Vec::new(), &bytes[..]);
    while let Some((length, tail)) = rest.split_first_chunk()
        && let Some((sum, tail)) = tail.split_first_chunk()
        && let Some((body, behind)) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)
    {
        if u64::from_le_bytes(*sum) != checksum(body) {
            // A last record may be torn; what stands in front of others was whole once.
            let torn = behind.iter().all(|byte| *byte == 0);
            let damaged = io::Error::new(io::ErrorKind::InvalidData, "a record of the journal is damaged");
            return if torn { Ok((commits, (bytes.len() - rest.len()) as u64)) } else { Err(damaged) };
        }
        commits.push(serde_json::from_slice(body)?);
        rest = behind;
    }
    Ok((commits, (bytes.len() - rest.len()) as u64))
}

/// FNV-1a: finds what a crash has torn, not what somebody has forged.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
