//! The room from its listeners to its next hop, over a real store, with a clock that stands still.
//!
//! | module | what it tests |
//! |---|---|
//! | `support` | a gateway on loopback, a hop that does what a test says, a client by hand |
//! | `intake` | what becomes of a message, and what is on record of it |
//! | `session` | who a client is, what it may take, how its connection ends |

mod intake;
mod session;
mod support;

use std::process::ExitCode;

use test_runner::Test;

fn main() -> ExitCode {
    test_runner::run(vec![
        Test::new(intake::clean_mail_is_passed_on_with_our_fields_and_the_hop_s_answer),
        Test::new(intake::malware_is_held_before_it_is_answered_and_the_hop_gets_nothing),
        Test::new(intake::the_same_mail_sent_again_is_held_once),
        Test::new(intake::junk_passes_with_a_field_that_asks_for_the_folder),
        Test::new(intake::what_a_detection_in_shadow_hits_passes_and_is_on_record),
        Test::new(intake::what_is_only_observed_passes_and_says_so),
        Test::new(intake::of_a_mixed_mail_each_recipient_has_what_was_decided_for_it),
        Test::new(intake::of_a_mixed_mail_that_the_hop_never_takes_nothing_is_held),
        Test::new(intake::of_a_mixed_mail_that_is_put_off_the_held_part_waits_for_the_next_try),
        Test::new(intake::a_part_that_waits_becomes_ours_when_it_is_sent_alone),
        Test::new(intake::a_recipient_that_the_hop_does_not_know_is_refused_there_and_then),
        Test::new(intake::nobody_relays_by_us),
        Test::new(intake::what_the_hop_says_at_the_dot_is_what_the_client_hears),
        Test::new(intake::an_answer_that_never_comes_is_in_doubt_at_the_deadline),
        Test::new(intake::a_hop_that_does_not_answer_data_in_time_has_nothing),
        Test::new(intake::what_the_hop_says_to_data_is_what_the_client_hears_unless_it_makes_no_sense),
        Test::new(intake::a_hop_that_hangs_up_during_the_scan_is_called_again),
        Test::new(intake::a_hop_that_keeps_hanging_up_is_left_alone_and_the_client_keeps_the_mail),
        Test::new(intake::a_recipient_that_the_hop_has_changed_its_mind_about_ends_the_transaction),
        Test::new(intake::a_hop_that_is_not_there_is_a_temporary_answer),
        Test::new(intake::a_recipient_that_goes_another_way_is_asked_to_come_again),
        Test::new(intake::an_engine_that_fails_defers_and_the_attempt_is_on_record),
        Test::new(intake::at_bypass_mail_passes_unexamined_and_unrecorded),
        Test::new(intake::at_bypass_a_late_answer_is_told_as_one),
        Test::new(intake::a_closed_gateway_takes_nothing),
        Test::new(intake::a_volume_without_room_takes_nothing),
        Test::new(intake::a_mail_that_goes_round_is_refused),
        Test::new(intake::forged_fields_of_ours_are_not_passed_on_and_a_strange_token_opens_nothing),
        Test::new(intake::what_we_have_released_passes_for_its_own_recipient_alone),
        Test::new(intake::what_engines_say_of_themselves_is_on_record_once),
        Test::new(intake::only_what_went_through_clean_is_learned_and_makes_its_network_known),
        Test::new(intake::what_the_hop_refuses_teaches_nothing),
        Test::new(intake::who_has_written_before_is_no_first_contact),
        Test::new(intake::what_is_known_of_a_sender_is_on_record_where_something_acts),
        Test::new(intake::what_a_stop_finds_unanswered_is_doubted_before_it_closes),
        Test::new(session::a_stranger_that_talks_before_the_greeting_is_turned_away),
        Test::new(session::one_address_has_so_many_connections_and_no_more),
        Test::new(session::one_network_has_so_many_connections_and_no_more),
        Test::new(session::who_does_nothing_with_its_place_gives_it_to_a_newcomer),
        Test::new(session::a_silent_client_is_sent_off_at_its_deadline),
        Test::new(session::a_message_that_does_not_come_on_is_given_up_and_its_memory_back),
        Test::new(session::a_visit_that_brings_nothing_ends_however_busy_it_is),
        Test::new(session::faults_are_borne_with_only_so_often),
        Test::new(session::a_message_is_not_begun_that_finds_no_room_in_memory),
        Test::new(session::a_proxy_names_the_client_and_nobody_else_may),
        Test::new(session::a_proxy_s_connections_count_for_their_clients),
        Test::new(session::a_client_behind_a_proxy_that_talks_early_is_turned_away),
        Test::new(session::a_relay_may_say_who_its_client_is_and_others_may_not),
        Test::new(session::a_client_named_by_a_relay_has_no_more_connections_than_one_has),
        Test::new(session::whom_a_relay_names_for_the_record_is_not_trusted_for_it_and_is_forgotten),
        Test::new(session::submission_is_for_our_own_mail_servers_and_their_senders_are_identities),
        Test::new(session::how_well_a_client_is_known_follows_from_where_it_is),
        Test::new(session::a_stop_sends_idle_clients_off_and_lets_a_transaction_finish),
        Test::new(session::a_stop_waits_for_a_transaction_only_as_long_as_it_may),
        Test::new(session::what_a_hop_is_asked_for_again_is_bounded_for_a_stranger_and_not_for_ours),
        Test::new(session::a_hop_that_changes_its_mind_before_the_data_is_heard_before_the_data),
        Test::new(session::a_message_for_a_hop_whose_only_connection_is_busy_waits_only_so_long),
        Test::new(session::a_stop_lets_a_command_that_has_begun_be_ended),
    ])
}
