//! Rounds of the room's tasks over a real store, with a process that examines and a clock that stands still.
//!
//! | module | what it tests |
//! |---|---|
//! | `site` | a store with a wrong detection in force, and what it has held |
//! | `replay` | what a wrong detection held is examined again |
//! | `probation` | what a forced version delays leaves or stays |
//! | `bulk` | what is asked for of everything that a query fits |
//! | `status` | what the public is told |

mod bulk;
mod probation;
mod replay;
mod site;
mod status;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use test_runner::Test;

fn main() -> ExitCode {
    test_runner::run(vec![
        Test::new(bulk::all_that_a_query_fits_is_released_once),
        Test::new(bulk::what_is_denied_or_deleted_says_what_became_of_each),
        Test::new(bulk::a_job_that_is_cancelled_or_waits_does_nothing),
        Test::new(bulk::many_pages_are_gone_through),
        Test::new(replay::what_was_held_by_mistake_is_released_and_what_harms_stays),
        Test::new(replay::an_incident_ends_when_every_unit_is_accounted_for),
        Test::new(replay::what_was_held_meanwhile_is_a_wave_of_its_own),
        Test::new(replay::nothing_is_replayed_while_nothing_has_changed_or_a_person_has_stopped_it),
        Test::new(replay::nothing_is_replayed_by_what_is_not_in_force_any_more),
        Test::new(replay::what_somebody_has_decided_before_is_not_touched),
        Test::new(replay::of_a_mail_for_two_each_unit_has_what_is_its_own),
        Test::new(replay::of_old_mail_to_strangers_its_sender_is_asked_first),
        Test::new(replay::what_cannot_be_read_is_inconclusive_and_is_examined_once_more_later),
        Test::new(replay::what_stays_inconclusive_for_a_day_holds_the_incident_up_no_more),
        Test::new(replay::what_an_engine_had_not_finished_with_is_looked_at_again),
        Test::new(replay::while_an_engine_is_away_partial_mail_waits_for_it),
        Test::new(probation::what_is_of_the_past_leaves_once_and_what_is_new_never),
        Test::new(probation::what_somebody_else_objects_to_or_has_decided_is_not_let_out),
        Test::new(probation::without_a_previous_form_nothing_leaves),
        Test::new(probation::when_the_probation_is_over_what_it_delayed_stays),
        Test::new(probation::no_more_is_let_out_than_may_be_and_people_are_called),
        Test::new(probation::a_mail_that_cannot_be_looked_at_holds_up_no_other),
        Test::new(probation::a_conviction_takes_the_mail_over),
        Test::new(status::without_an_incident_it_says_so),
        Test::new(status::an_incident_is_told_from_its_beginning_to_its_end),
        Test::new(status::what_says_the_same_is_not_written_again),
        Test::new(status::the_checkpoint_of_the_audit_log_lies_beside_it_with_its_tiles),
    ])
}
