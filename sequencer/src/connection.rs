//! How a process gets at the database: as the one writer, or as a reader that needs no write
//! access.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::error::Error;
use crate::export::database_files;
use crate::tables::configure;

/// Takes the lock that keeps a second writer out.
pub fn lock(path: &Path) -> Result<File, Error> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::derived("its file `lock` is gone"),
        _ => Error::input(path)(error),
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Held(path.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(Error::input(path)(source)),
    }
}

fn open_flags(mode: OpenFlags) -> OpenFlags {
    mode | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// The writer's connection. Until [`settle`] it leaves the write-ahead log as it found it.
pub fn writer(database: &Path) -> Result<Connection, Error> {
    let flags = open_flags(OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection = Connection::open_with_flags(database, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    configure(&connection)?;
    Ok(connection)
}

/// From now on the connection moves the write-ahead log into the database when it closes.
pub fn settle(connection: &Connection) -> Result<(), Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// A reader's connection, in the midst of a transaction: one view for as long as it lives.
pub struct Reader {
    pub connection: Connection,
    /// Whether it takes part in the locks, so that no writer changes the files under it.
    pub is_shared: bool,
    /// Whether the database says which mode it is in.
    pub is_mode_known: bool,
}

/// Opens the database for reading, whatever state the last writer left its files in and whether or
/// not this process could write them.
///
/// The usual way takes part in the locks and needs the index of the write-ahead log, `-shm`, to be
/// there or to be made. Without it no writer is at work, and there are two cases. A log that holds
/// something is read without locks, which leaves its index to this process's memory. Without such a
/// log the file is whole in itself.
pub fn reader(database: &Path) -> Result<Reader, Error> {
    let refused = match shared(database) {
        Ok(connection) => {
            return Ok(Reader { connection, is_shared: true, is_mode_known: true });
        }
        Err(error) => error,
    };
    if !is_without_index(&refused) {
        return Err(refused.into());
    }
    let [_, log, _] = database_files(database);
    let has_log = fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    let flags = open_flags(OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = if has_log {
        let connection = Connection::open_with_flags_and_vfs(database, flags, "unix-none")?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE;")?;
        connection
    } else {
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(unchanging(database), flags)?
    };
    begin(&connection)?;
    Ok(Reader { connection, is_shared: false, is_mode_known: has_log })
}

/// Whether the index of the write-ahead log could not be made: the folder may not be written, or
/// the disk is full.
fn is_without_index(error: &rusqlite::Error) -> bool {
    const INDEX: [i32; 4] = [
        ffi::SQLITE_IOERR_SHMOPEN,
        ffi::SQLITE_IOERR_SHMSIZE,
        ffi::SQLITE_IOERR_SHMLOCK,
        ffi::SQLITE_IOERR_SHMMAP,
    ];
    let Some(error) = error.sqlite_error() else { return false };
    match error.code {
        ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => true,
        ErrorCode::SystemIoFailure => INDEX.contains(&error.extended_code),
        _ => false,
    }
}

fn shared(database: &Path) -> rusqlite::Result<Connection> {
    let flags = open_flags(OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = Connection::open_with_flags(database, flags)?;
    begin(&connection)?;
    Ok(connection)
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    configure(connection)?;
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
}

/// The address of a file that nobody changes.
fn unchanging(database: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let mut address = "file:".to_owned();
    for &byte in database.as_os_str().as_bytes() {
        if plain(byte) {
            address.push(byte.into());
        } else {
            address += &format!("%{byte:02x}");
        }
    }
    address + "?immutable=1"
}

/// What tells a file from another of its name: device and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId(u64, u64);

impl FileId {
    pub fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|found| Self(found.dev(), found.ino()))
    }
}

/// The header says what a writer relies on: with another number there, the database can be read but
/// not written.
pub fn check_header(database: &Path) -> Result<(), Error> {
    /// Place and value of the two bytes that say "write-ahead log".
    const MODE: (usize, [u8; 2]) = (18, [2; 2]);
    let mut header = [0; MODE.0 + MODE.1.len()];
    let file = File::open(database).map_err(Error::input(database))?;
    match file.read_exact_at(&mut header, 0) {
        Ok(()) if header[MODE.0..] == MODE.1 => Ok(()),
        Ok(()) => Err(Error::derived("the mode in the header of the database is not ours")),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(Error::derived("the database ends within its header"))
        }
        Err(error) => Err(Error::input(database)(error)),
    }
}

/// What tells whether the files of a database were changed.
#[derive(PartialEq, Eq)]
pub struct Stamp([Option<(u64, u64, i64, i64)>; 2]);

impl Stamp {
    pub fn of(database: &Path) -> Self {
        let [database, log, _] = database_files(database);
        Self([database, log].map(|path| {
            let found = fs::metadata(path).ok()?;
            Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
        }))
    }
}

/// The only connection to the database, of this process or any other; see [`crate::rebuild`].
pub fn alone(database: &Path) -> Result<Connection, Error> {
    let connection = writer(database)?;
    // Whoever asks decides how long to wait, and asks again.
    connection.busy_timeout(Duration::ZERO)?;
    // The index of the write-ahead log is then in memory, and every other connection is kept out.
    let claimed = connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; SELECT count(*) FROM sqlite_schema; \
         COMMIT;",
    );
    match claimed {
        Ok(()) => Ok(connection),
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Err(Error::Held(database.to_owned()))
            }
            _ => Err(error.into()),
        },
    }
}
