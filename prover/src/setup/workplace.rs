//! The files of a key that is being made: the unfinished key and the seed of its secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ark_bn254::Fr;
use rand::RngCore;
use zkmargin_circuits::cs::R1cs;
use zkmargin_host::FileError;
use zkmargin_host::file::{flush_name, put_in_place};

use super::SetupError;
use crate::key::{Header, Transcript, read_frame};

/// What the secrets of a key are drawn from. Whoever has it can forge proofs under the key.
pub(super) struct Seed(pub(super) [u8; 32]);

impl Seed {
    /// Context of the commitment (BLAKE3, key derivation mode).
    const CONTEXT: &str = "zkmargin 2026-11 commitment to the seed of a setup v1";

    /// What a key says of its seed: enough to know the seed again, too little to find it.
    pub(super) fn commitment(&self) -> [u8; 32] {
        blake3::derive_key(Self::CONTEXT, &self.0)
    }
}

/// The unfinished key of an earlier run.
pub(super) struct Kept {
    pub(super) header: Header,
    frames: usize,
}

impl Kept {
    /// Nothing is missing but the key's name.
    pub(super) fn is_whole(&self) -> bool {
        self.frames == self.header.frames().count()
    }
}

/// Files of a key that is being made.
pub(super) struct Workplace {
    target: PathBuf,
    pub(super) partial: PathBuf,
    seed: PathBuf,
}

impl Workplace {
    pub(super) fn new(target: &Path) -> Self {
        let beside = |ending: &str| {
            let mut name = target.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Self { target: target.to_owned(), partial: beside(".partial"), seed: beside(".seed") }
    }

    /// Opens the unfinished key, which stays locked as long as the file is open.
    pub(super) fn open(&self) -> Result<File, SetupError> {
        let at = || FileError::at(&self.partial);
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.open(&self.partial).map_err(at())?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &self.partial) => return Ok(file),
                // Another setup has finished in between: the file is the key now.
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(SetupError::Busy(self.partial.clone()));
                }
                Err(fs::TryLockError::Error(error)) => return Err(at()(error).into()),
            }
        }
    }

    /// What an earlier run has left of a key for `r1cs`, if anything.
    pub(super) fn kept(&self, file: &mut File, r1cs: &R1cs<Fr>) -> Result<Option<Kept>, FileError> {
        let mut read = || {
            file.seek(SeekFrom::Start(0))?;
            // Whatever is wrong with a header, the file is not carried on.
            let Ok(header) = Header::read(&mut BufReader::new(&*file)) else { return Ok(None) };
            if header.circuit != r1cs.digest() {
                return Ok(None);
            }
            let (frames, end, _) = whole_frames(file, &header)?;
            // What stands behind the last frame is no part of a key.
            file.set_len(end)?;
            Ok(Some(Kept { header, frames }))
        };
        read().map_err(FileError::at(&self.partial))
    }

    /// The seed which the unfinished key commits to. Otherwise a fresh one, which is on disk when
    /// this returns, and the unfinished key is emptied.
    pub(super) fn seed(&self, file: &mut File, kept: Option<&Header>) -> Result<Seed, FileError> {
        if let Ok(bytes) = fs::read(&self.seed)
            && let Ok(bytes) = <[u8; 32]>::try_from(bytes)
        {
            let seed = Seed(bytes);
            if kept.is_some_and(|header| header.setup == seed.commitment()) {
                return Ok(seed);
            }
        }
        self.erase_seed()?;
        file.set_len(0).map_err(FileError::at(&self.partial))?;
        let mut seed = Seed([0; 32]);
        let mut write = || {
            rand::rngs::OsRng.try_fill_bytes(&mut seed.0).map_err(io::Error::other)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&self.seed)?;
            file.write_all(&seed.0)?;
            file.sync_all()?;
            flush_name(&self.seed)
        };
        write().map_err(FileError::at(&self.seed))?;
        Ok(seed)
    }

    /// Number of whole frames already in `file`, which is left positioned behind the last of them.
    pub(super) fn resume(
        &self,
        file: &mut File,
        header: &Header,
    ) -> Result<(usize, Transcript), FileError> {
        let mut resume = || {
            let (frames, end, transcript) = whole_frames(file, header)?;
            file.set_len(end)?;
            file.seek(SeekFrom::Start(end))?;
            if end == 0 {
                header.write(file)?;
            }
            Ok((frames, transcript))
        };
        resume().map_err(FileError::at(&self.partial))
    }

    /// Forgets the secrets and moves the whole key to its place, in this order: no key is in place
    /// while its secrets are on disk.
    pub(super) fn finish(&self, file: File) -> Result<(), FileError> {
        file.sync_all().map_err(FileError::at(&self.partial))?;
        self.erase_seed()?;
        put_in_place(&self.partial, &self.target).map_err(FileError::at(&self.target))
    }

    /// Overwrites and removes the seed, if there is one. A disk may keep the old bytes elsewhere.
    fn erase_seed(&self) -> Result<(), FileError> {
        let erase = || {
            let found = match fs::symlink_metadata(&self.seed) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                result => result?,
            };
            // What a link points to is not ours.
            if found.is_file() {
                let mut file = OpenOptions::new().write(true).open(&self.seed)?;
                io::copy(&mut io::repeat(0).take(found.len()), &mut file)?;
                file.sync_all()?;
            }
            fs::remove_file(&self.seed)?;
            flush_name(&self.seed)
        };
        erase().map_err(FileError::at(&self.seed))
    }
}

/// Whether the open file is the one of this name.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |found: fs::Metadata| (found.dev(), found.ino());
        let [open, named] = [file.metadata(), fs::metadata(path)].map(|found| found.map(identity));
        matches!((open, named), (Ok(open), Ok(named)) if open == named)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Number of whole frames at the beginning of `file` under this header, and where the last ends.
fn whole_frames(file: &mut File, header: &Header) -> io::Result<(usize, u64, Transcript)> {
    file.seek(SeekFrom::Start(0))?;
    let mut expected = Vec::new();
    header.write(&mut expected)?;
    let mut found = Vec::new();
    let mut input = BufReader::new(&*file);
    input.by_ref().take(expected.len() as u64).read_to_end(&mut found)?;
    let (mut frames, mut end, mut transcript) = (0, 0, Transcript::new(header));
    if found == expected {
        end = expected.len() as u64;
        let digest = header.digest();
        for place in header.frames() {
            let Some(head) = read_frame(&mut input, &digest, place)? else { break };
            transcript.absorb(place.section, &head);
            frames += 1;
            end = input.stream_position()?;
        }
    }
    Ok((frames, end, transcript))
}

/// Removes what the key at `target` no longer needs: the seed of its secrets, or a replacement that
/// was not finished with its seed. Says whether there was anything.
///
/// # Errors
/// [`SetupError::Busy`] while another process makes a replacement, or [`SetupError::Leftover`].
pub fn forget(target: &Path) -> Result<bool, SetupError> {
    let workplace = Workplace::new(target);
    if !workplace.seed.exists() && !workplace.partial.exists() {
        return Ok(false);
    }
    let _locked = workplace.open()?;
    let remove = fs::remove_file(&workplace.partial).map_err(FileError::at(&workplace.partial));
    workplace.erase_seed().and(remove).map_err(SetupError::Leftover)?;
    Ok(true)
}

/// Removes the seed of the whole key at `target`, if an interrupted setup has left it; the seed of
/// a replacement that is being made stays. Says whether there was one.
///
/// # Errors
/// [`SetupError::Leftover`].
pub fn forget_seed(target: &Path) -> Result<bool, SetupError> {
    let workplace = Workplace::new(target);
    if workplace.partial.exists() || !workplace.seed.exists() {
        return Ok(false);
    }
    workplace.erase_seed().map_err(SetupError::Leftover)?;
    Ok(true)
}
