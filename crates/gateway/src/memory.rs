//! Memory for mail: what all sessions hold together is counted as it grows, bounded, and given back at once.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use domain::share::{Bounds, Over, Shares, Source};
use tokio::time::Instant;

use platform::config::GatewayLimits;
use platform::measure::{self, Scarce};

/// What is taken at once, so that not every read asks.
const STEP_BYTES: u64 = 64 * 1024;
/// Of the whole, what messages that are still coming may take, in percent. The rest is for what is made of those that
/// are here.
const COMING_PERCENT: u64 = 70;
/// How often who waits for memory looks again.
const LOOK: Duration = Duration::from_millis(20);

/// The memory for mail of an installation. Clones are the same.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    coming: Mutex<Shares>,
    /// Bytes of copies, and how many they are.
    copies: Mutex<(u64, usize)>,
    copies_max: u64,
}

impl Memory {
    /// Memory within the limits of a gateway. One whole message always fits, whoever it is from.
    pub fn new(limits: &GatewayLimits) -> Self {
        let all = limits.in_flight_bytes_max;
        let coming = all * COMING_PERCENT / 100;
        // A large message has up to a quarter more room than it needs.
        let one = (limits.message_bytes_max as u64).saturating_mul(5) / 4 + STEP_BYTES;
        let bounds = Bounds::of(coming.max(one), &limits.percents, one);
        let (coming, copies) = (Mutex::new(Shares::new(bounds)), Mutex::default());
        Self(Arc::new(Inner { coming, copies, copies_max: all.saturating_sub(bounds.all) }))
    }

    /// Bytes that messages which are still coming may take, all together.
    pub fn coming_max(&self) -> u64 {
        self.coming().bounds().all
    }

    /// Nothing yet, for a client.
    pub fn account(&self, source: Source) -> Account {
        Account { memory: self.clone(), source, bytes: 0, copy: 0 }
    }

    /// Bytes that are held now.
    pub fn held(&self) -> u64 {
        self.coming().held() + self.copies().0
    }

    fn coming(&self) -> MutexGuard<'_, Shares> {
        self.0.coming.lock().expect("nobody panics while counting bytes")
    }

    fn copies(&self) -> MutexGuard<'_, (u64, usize)> {
        self.0.copies.lock().expect("nobody panics while counting bytes")
    }
}

/// What one transaction holds; it is given back when this is dropped.
#[derive(Debug)]
pub struct Account {
    memory: Memory,
    source: Source,
    bytes: u64,
    copy: u64,
}

impl Account {
    /// Whether a message of so many bytes would fit now.
    ///
    /// # Errors
    /// The bound that it would go over.
    pub fn fits(&self, bytes: u64) -> Result<(), Over> {
        self.memory.coming().fits(&self.source, bytes.saturating_sub(self.bytes))
    }

    /// The transaction holds so many bytes now.
    ///
    /// # Errors
    /// The bound that it would go over. Then the account is as before, and whoever holds the bytes must let them go.
    pub fn holds(&mut self, bytes: u64) -> Result<(), Over> {
        let wanted = bytes.div_ceil(STEP_BYTES) * STEP_BYTES;
        let taken = match wanted.cmp(&self.bytes) {
            std::cmp::Ordering::Greater => {
                let mut coming = self.memory.coming();
                let taken = coming.take(&self.source, wanted - self.bytes);
                measure::in_use(Scarce::Memory, coming.held());
                taken
            }
            std::cmp::Ordering::Less => {
                self.memory.coming().give(&self.source, self.bytes - wanted);
                Ok(())
            }
            std::cmp::Ordering::Equal => return Ok(()),
        };
        match taken {
            Ok(()) => self.bytes = wanted,
            Err(over) => measure::refused("memory", over),
        }
        taken
    }

    /// Room for a copy of the message, as it goes to the next hop. Waits for others until `deadline`; one copy always
    /// fits.
    pub async fn copies(&mut self, bytes: u64, deadline: Instant) -> bool {
        loop {
            {
                let mut copies = self.memory.copies();
                if copies.1 == 0 || copies.0 + bytes <= self.memory.0.copies_max {
                    *copies = (copies.0 + bytes, copies.1 + 1);
                    drop(copies);
                    self.copy += bytes;
                    return true;
                }
            }
            if Instant::now() >= deadline {
                measure::refused("memory", Over::All);
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.memory.coming().give(&self.source, self.bytes);
        if self.copy > 0 {
            let mut copies = self.memory.copies();
            *copies = (copies.0.saturating_sub(self.copy), copies.1.saturating_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::share::Standing;
    use platform::config::Config;

    use super::*;

    const MIB: u64 = 1 << 20;

    /// Room for so many MiB in all, and for messages of one MiB.
    fn memory(mib: u64) -> Memory {
        let text = "data_dir = \"data\"\nhostname = \"g.example\"\naccepted_domains = [\"ours.example\"]\n\
                    [[listener]]\naddress = \"127.0.0.1:0\"\n[next_hop.inbound]\naddress = \"127.0.0.1:1\"\n";
        let limits = Config::parse(text, Path::new(".")).expect("a right one").limits;
        Memory::new(&GatewayLimits { message_bytes_max: 1 << 20, in_flight_bytes_max: mib * MIB, ..limits })
    }

    fn source(a: u8) -> Source {
        Source { client: std::net::IpAddr::from([192, 0, a, 1]), standing: Standing::Stranger, is_relay: false }
    }

    #[test]
    fn what_is_held_is_counted_in_steps_as_it_grows_and_shrinks() {
        let memory = memory(100);
        assert_eq!(memory.coming_max(), 70 * MIB);
        let mut account = memory.account(source(1));
        assert_eq!(account.holds(0), Ok(()));
        for (bytes, held) in [(1, 64 << 10), (64 << 10, 64 << 10), ((64 << 10) + 1, 128 << 10), (1, 64 << 10), (0, 0)] {
            assert_eq!(account.holds(bytes), Ok(()));
            assert_eq!(memory.held(), held, "{bytes} bytes");
        }
        assert_eq!(account.holds(3 * MIB), Ok(()));
        drop(account);
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn one_client_has_a_part_only_and_is_as_before_when_it_asks_for_more() {
        let memory = memory(100);
        let mut account = memory.account(source(1));
        // A quarter of seventy.
        let most = 70 * MIB / 4;
        assert_eq!((account.fits(most), account.fits(most + 1)), (Ok(()), Err(Over::Client)));
        assert_eq!(account.holds(17 * MIB), Ok(()));
        assert_eq!(account.fits(most), Ok(()), "what it holds already is part of it");
        assert_eq!(account.holds(18 * MIB), Err(Over::Client));
        assert_eq!(memory.held(), 17 * MIB);
        assert_eq!(memory.account(source(1)).fits(MIB), Err(Over::Client), "its other transactions as well");
        assert_eq!(memory.account(source(2)).fits(MIB), Ok(()));
    }

    #[test]
    fn one_whole_message_fits_however_little_there_is() {
        let memory = memory(1);
        let one = MIB * 5 / 4 + STEP_BYTES;
        assert_eq!(memory.coming_max(), one);
        assert_eq!(memory.account(source(1)).holds(one), Ok(()));
        assert_eq!(memory.account(source(1)).holds(one + STEP_BYTES), Err(Over::Client));
    }

    #[tokio::test]
    async fn one_copy_always_fits_and_more_wait_for_one_another() {
        let memory = memory(10);
        let [mut one, mut two, mut three] = [1, 2, 3].map(|n| memory.account(source(n)));
        let now = Instant::now();
        assert!(one.copies(2 * MIB, now).await && two.copies(MIB, now).await, "three of ten are for copies");
        assert!(!three.copies(1, now).await, "no more");
        assert_eq!(memory.held(), 3 * MIB);
        let waiting = tokio::spawn(async move { three.copies(50 * MIB, now + Duration::from_secs(60)).await });
        drop((one, two));
        assert!(waiting.await.expect("ends"), "the only one fits, however large");
        assert_eq!(memory.held(), 0, "and is given back with its account");
    }
}
