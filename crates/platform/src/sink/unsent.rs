//! What the other side's system has not confirmed yet of what was written to a connection. Linux tells it in
//! `/proc/self/net/tcp` (proc(5)), by the inode of the socket; a call for it (SIOCOUTQ) needs code that is not safe.

use std::fs::read_to_string;
use std::os::fd::AsFd;

/// The tables: of IPv4 and of IPv6.
const TABLES: [&str; 2] = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
/// The columns of a row that are looked at: the queues, and the inode.
const QUEUES: usize = 4;
const INODE: usize = 9;

/// Bytes of a connection, its end included, that are not confirmed; 0 once it is over. None where the system does not
/// tell.
pub(super) async fn unsent(socket: &impl AsFd) -> Option<u64> {
    let inode = rustix::fs::fstat(socket).ok()?.st_ino.to_string();
    // The tables have a row for each connection of this host: no thread that carries mail reads them.
    tokio::task::spawn_blocking(move || in_tables(&inode)).await.ok()?
}

fn in_tables(inode: &str) -> Option<u64> {
    let tables: Vec<String> = TABLES.iter().filter_map(|table| read_to_string(table).ok()).collect();
    if tables.is_empty() {
        return None;
    }
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    Some(rows.filter_map(|row| queued(row, inode)).next().unwrap_or(0))
}

/// The bytes of a row's queue to the other side, if the row is that of a socket.
fn queued(row: &str, inode: &str) -> Option<u64> {
    let mut columns = row.split_ascii_whitespace();
    let queues = columns.nth(QUEUES)?;
    let is_it = columns.nth(INODE - QUEUES - 1)? == inode;
    let (unsent, _) = queues.split_once(':').filter(|_| is_it)?;
    u64::from_str_radix(unsent, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn what_nobody_has_room_for_is_not_confirmed() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let mut stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("connects");
        let (other, _) = listener.accept().expect("accepts");
        assert_eq!(unsent(&stream).await, Some(0));
        stream.set_nonblocking(true).expect("is set");
        let some = vec![b'x'; 1 << 20];
        let mut written = 0;
        while let Ok(more @ 1..) = stream.write(&some) {
            written += more;
        }
        assert!(unsent(&stream).await.is_some_and(|bytes| bytes > 0), "{written} written");
        drop(other);
    }

    #[test]
    fn a_row_is_known_by_its_inode() {
        let row = "   1: 0100007F:1A0A 0100007F:9C40 01 0000002A:00000000 01:00000014 00000000     0        0 777 2 0";
        assert_eq!((queued(row, "777"), queued(row, "778"), queued("", "777")), (Some(42), None, None));
    }
}
