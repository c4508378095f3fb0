//! The status socket: given by systemd, or made here. A socket that is made
//! here never exists with more rights than it should have, takes the place of
//! one that nobody answers on any more, and leaves a living one alone.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::{UnixListener, UnixStream};

/// The owner and the group may ask; nobody else.
const MODE: u32 = 0o660;

/// How long another daemon may take to accept a connection. One that is that
/// busy is alive.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// The socket could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// systemd gave something that is no socket to listen on.
    #[error("failed to use the socket that systemd gave")]
    Given(#[source] io::Error),
    /// Another daemon answers there.
    #[error("another daemon answers at '{}'", .0.display())]
    Taken(PathBuf),
    /// Something that is no socket is in the way.
    #[error("'{}' is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// Whether another daemon answers could not be found out.
    #[error("failed to look whether another daemon answers at '{}'", .path.display())]
    Look {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The socket could not be made.
    #[error("failed to make the socket '{}'", .path.display())]
    Make {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl ListenError {
    /// Whether the socket was not made for want of rights.
    pub fn is_denied(&self) -> bool {
        match self {
            ListenError::Make { source, .. } | ListenError::Look { source, .. } => {
                source.kind() == io::ErrorKind::PermissionDenied
            }
            _ => false,
        }
    }
}

/// A socket that is listened on.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: UnixListener,
    /// The file to remove in the end; none where systemd owns the socket.
    _file: Option<SocketFile>,
}

/// The file of a socket that was made here. Removed when dropped, unless
/// another daemon has put its own in its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The socket that systemd gave, or one at `path`. Must be called within a
/// runtime.
pub async fn open(mut given: ListenFd, path: &Path) -> Result<Listener, ListenError> {
    if let Some(socket) = given.take_unix_listener(0).map_err(ListenError::Given)? {
        socket.set_nonblocking(true).map_err(ListenError::Given)?;
        let socket = UnixListener::from_std(socket).map_err(ListenError::Given)?;
        return Ok(Listener { socket, _file: None });
    }
    vacant(path).await?;
    let made = make(path).map_err(|source| ListenError::Make { path: path.to_owned(), source });
    let (socket, identity) = made?;
    Ok(Listener { socket, _file: Some(SocketFile { path: path.to_owned(), identity }) })
}

/// Makes sure that nobody answers at `path`. A stale socket may be there; it is
/// replaced later in one step.
async fn vacant(path: &Path) -> Result<(), ListenError> {
    let look = |source| ListenError::Look { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(look(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match tokio::time::timeout(ANSWER_LIMIT, UnixStream::connect(path)).await {
        Ok(Err(error)) => match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Ok(()),
            // Its queue is full.
            io::ErrorKind::WouldBlock => Err(ListenError::Taken(path.to_owned())),
            _ => Err(look(error)),
        },
        Ok(Ok(_)) | Err(_) => Err(ListenError::Taken(path.to_owned())),
    }
}

/// Makes the socket where nobody else can reach it, gives it its rights, and
/// only then puts it in its place.
fn make(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    let directory = path.parent().unwrap_or(Path::new("."));
    // Short names: a socket's path has room for little more than a hundred bytes.
    let private = directory.join(format!(".{}", std::process::id()));
    let hidden = private.join("s");
    let made: io::Result<_> = (|| {
        clear(&private)?;
        DirBuilder::new().mode(0o700).create(&private)?;
        let socket = UnixListener::bind(&hidden)?;
        fs::set_permissions(&hidden, Permissions::from_mode(MODE))?;
        adopt_group(&hidden, directory)?;
        let identity = identity(&hidden)?;
        fs::rename(&hidden, path)?;
        Ok((socket, identity))
    })();
    let cleared = clear(&private);
    let made = made?;
    cleared.map(|()| made)
}

/// Removes what an earlier process of the same number may have left.
fn clear(private: &Path) -> io::Result<()> {
    match fs::remove_dir_all(private) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn adopt_group(socket: &Path, directory: &Path) -> io::Result<()> {
    let group = fs::metadata(directory)?.gid();
    match chown(socket, None, Some(group)) {
        // Someone outside the group cannot give it away; the socket is theirs.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}
