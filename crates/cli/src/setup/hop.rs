//! What a next hop says to mail for our domains: a hop that refuses it now would refuse it from us.

use std::time::Duration;

use domain::envelope::{MailParams, RcptParams};
use domain::{Address, Direction};
use platform::config::Config;
use platform::hop::Hops;
use wire::smtp::client::Timeouts;
use wire::smtp::reply::Reply;

use super::doctor::{Finding, Health};

/// How long one probe may take.
const PROBE: Duration = Duration::from_secs(10);

/// A finding for each of our domains whose postmaster the hop refuses; every domain has one that takes mail (RFC 5321
/// section 4.5.1). Each probe ends before DATA.
pub(super) async fn about_domains(config: &Config) -> Vec<Finding> {
    let timeouts = Timeouts { connect: PROBE, greeting: PROBE, command: PROBE, ..Timeouts::default() };
    let hop = Hops::new(config, 1, &timeouts).of(Direction::Inbound);
    let Ok(mut loan) = hop.connection().await else { return Vec::new() };
    let mut list = Vec::new();
    // A pattern of domains has no postmaster of its own.
    for domain in config.border.accepted_domains.iter().filter(|domain| !domain.starts_with('.')) {
        let Ok(postmaster) = Address::parse(&format!("postmaster@{domain}")) else { continue };
        let plain = RcptParams::default();
        // From nobody, as a notice would be: no sender has to be invented.
        let begun = loan.connection.begin(None, &MailParams::default(), None, &[(&postmaster, &plain)]).await;
        let Ok((mail, replies)) = begun else { break };
        list.push(finding(domain, &replies.into_iter().next().unwrap_or(mail)));
        if loan.connection.reset().await.is_err() {
            break;
        }
    }
    loan.connection.quit().await;
    list
}

fn finding(domain: &str, said: &Reply) -> Finding {
    let what = format!("mail for {domain}");
    if said.is_positive() {
        return Finding { what, health: Health::Ok, detail: "the next hop accepts it".into() };
    }
    let detail = format!(
        "the next hop refuses postmaster@{domain}: {}. Check that it accepts this domain, and that --domain is \
         right",
        said.to_line().trim_end()
    );
    Finding { what, health: Health::Warning, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_that_refuses_a_domain_is_told() {
        assert_eq!(finding("ours.example", &Reply::new(250, "2.1.5 Ok")).health, Health::Ok);
        let refused = finding("ours.example", &Reply::new(554, "5.7.1 Relay access denied"));
        assert_eq!(refused.health, Health::Warning);
        assert!(refused.detail.contains("554 5.7.1 Relay access denied. Check"), "{}", refused.detail);
    }
}
