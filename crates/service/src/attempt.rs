//! How often somebody may try a secret that they may not know: counted for the network that they come from, and for the
//! name or the account that they try.

use std::net::IpAddr;

use crate::Service;
use crate::error::ServiceResult;

/// Characters that are kept of where a client is and what it says it is.
const DESCRIPTION_MAX: usize = 200;

/// Where somebody comes from, and with what program.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// The address that its attempts are counted for: its own, or the first of its network.
    pub counted: IpAddr,
    /// What its program says it is.
    pub program: Option<String>,
}

impl Client {
    /// Whose attempts those of its network are.
    fn bucket(&self) -> String {
        format!("from {}", self.counted)
    }

    /// As it is shown among somebody's sessions.
    pub(crate) fn description(&self) -> String {
        let program = self.program.as_deref().unwrap_or("an unknown program");
        format!("{} with {program}", self.address).chars().take(DESCRIPTION_MAX).collect()
    }
}

/// Counts one more attempt from where a client is.
///
/// # Errors
/// [`ServiceError::TooMany`](crate::error::ServiceError::TooMany) when there were too many.
pub fn from(service: &Service, client: &Client) -> ServiceResult<()> {
    count(service, &client.bucket())
}

/// Counts one more attempt to learn whom an invitation is for.
pub(crate) fn to_read_an_invitation(service: &Service, client: &Client) -> ServiceResult<()> {
    count(service, &format!("invitation {}", client.bucket()))
}

/// Counts one more attempt to sign in by a name.
pub(crate) fn by_name(service: &Service, name: &str) -> ServiceResult<()> {
    count(service, &format!("name {name}"))
}

/// Counts one more attempt of somebody who has signed in at their own one-time codes.
pub(crate) fn at_own_codes(service: &Service, name: &str) -> ServiceResult<()> {
    count(service, name)
}

fn count(service: &Service, bucket: &str) -> ServiceResult<()> {
    service.attempts.take_one(bucket, service.clock.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_counted_with_its_network_and_shown_by_its_address() {
        let client = |program: Option<&str>| Client {
            address: "2001:db8::7".parse().expect("an address"),
            counted: "2001:db8::".parse().expect("an address"),
            program: program.map(str::to_owned),
        };
        assert_eq!(client(None).bucket(), "from 2001:db8::");
        assert_eq!(client(None).description(), "2001:db8::7 with an unknown program");
        assert_eq!(client(Some(&"ä".repeat(300))).description().chars().count(), DESCRIPTION_MAX);
    }
}
