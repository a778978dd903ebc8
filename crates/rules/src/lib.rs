//! Background tasks that decide which detections act.
//!
//! | module | what it keeps true |
//! |---|---|
//! | [`rollout`] | a published version goes through the gates, and on or back by what was seen |
//! | [`plan`], [`entries`], [`contain`] | what examines and decides is what the store says is in force |
//! | [`conviction`]: `hear`, `trial`, [`retrospective_scan`], `act` | what acts is heard and tried; what the past convicts is contained |
//! | `recall` | a version that was forced past a gate is tried on all that is known to be good |
//! | `probation` | such a version is on probation while it hits some of that |
//! | [`group_suspects`] | detections that a change made hit together are tried together |
//! | [`rate`] | hits are counted by the hour, and a rate out of the ordinary calls people |
//! | [`start`] | what decides when a program starts |
//! | [`tasks`], [`turn`] | what the room is given, and the list of its tasks; their rounds in turn, for a drill |

mod act;
pub mod contain;
pub mod conviction;
pub mod entries;
pub mod group_suspects;
mod hear;
mod in_force;
pub mod plan;
mod probation;
pub mod rate;
mod recall;
pub mod retrospective_scan;
pub mod rollout;
pub mod start;
pub mod tasks;
mod trial;
pub mod turn;
