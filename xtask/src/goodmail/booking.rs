//! Bookings of flights, trains, hotels and tables, with the data for mail programs in the page (JSON-LD of schema.org).

use serde_json::json;

use super::Mail;
use super::attachment;
use super::facts::{Company, Facts};
use super::language::Language;
use super::letter::{Letter, text_of};
use super::page::Finish;
use super::seed::Seed;
use super::service::TRANSACTIONAL;
use super::template::sender;
use super::text::Look;

/// Bookings of one kind and language.
const EACH: usize = 4;
const KINDS: [&str; 4] = ["flight", "train", "hotel", "table"];
/// Airports: code and city.
const AIRPORTS: [(&str, &str); 12] = [
    ("FRA", "Frankfurt"),
    ("LHR", "London"),
    ("CDG", "Paris"),
    ("MAD", "Madrid"),
    ("LIS", "Lisboa"),
    ("FCO", "Roma"),
    ("AMS", "Amsterdam"),
    ("WAW", "Warszawa"),
    ("JFK", "New York"),
    ("VIE", "Wien"),
    ("GRU", "S\u{e3}o Paulo"),
    ("DUB", "Dublin"),
];
/// Carriers: code, name, domain; invented.
const CARRIERS: [(&str, &str, &str); 5] = [
    ("NV", "Norvia", "norvia-air.com"),
    ("AZ9", "Azurline", "azurline.eu"),
    ("BK", "Balkanair", "balkanair.net"),
    ("TQ", "Tidequest", "tidequest.com"),
    ("ML", "Meridian Link", "meridianlink.aero"),
];

/// Sentences of a language: confirmation, thanks, what to bring, button, "from", "to".
const WORDS: [(&str, [&str; 6]); 8] = [
    (
        "en",
        [
            "Your booking {order} is confirmed",
            "Thank you for your booking, {first}. Here are your details.",
            "Please check in online and bring a valid ID.",
            "Manage booking",
            "From",
            "To",
        ],
    ),
    (
        "de",
        [
            "Ihre Buchung {order} ist best\u{e4}tigt",
            "vielen Dank f\u{fc}r Ihre Buchung, {first}. Hier finden Sie alle Angaben.",
            "Bitte checken Sie online ein und halten Sie einen Ausweis bereit.",
            "Buchung verwalten",
            "Von",
            "Nach",
        ],
    ),
    (
        "fr",
        [
            "Votre r\u{e9}servation {order} est confirm\u{e9}e",
            "Merci pour votre r\u{e9}servation, {first}. En voici le d\u{e9}tail.",
            "Enregistrez-vous en ligne et munissez-vous d'une pi\u{e8}ce d'identit\u{e9}.",
            "G\u{e9}rer ma r\u{e9}servation",
            "De",
            "\u{c0}",
        ],
    ),
    (
        "es",
        [
            "Tu reserva {order} est\u{e1} confirmada",
            "Gracias por tu reserva, {first}. Estos son los datos.",
            "Haz el check-in en l\u{ed}nea y lleva un documento de identidad.",
            "Gestionar reserva",
            "Desde",
            "Hasta",
        ],
    ),
    (
        "pt",
        [
            "Sua reserva {order} est\u{e1} confirmada",
            "Obrigado pela reserva, {first}. Aqui est\u{e3}o os detalhes.",
            "Fa\u{e7}a o check-in online e leve um documento.",
            "Gerenciar reserva",
            "De",
            "Para",
        ],
    ),
    (
        "it",
        [
            "La tua prenotazione {order} \u{e8} confermata",
            "Grazie per la prenotazione, {first}. Ecco i dettagli.",
            "Fai il check-in online e porta un documento.",
            "Gestisci prenotazione",
            "Da",
            "A",
        ],
    ),
    (
        "nl",
        [
            "Je boeking {order} is bevestigd",
            "Bedankt voor je boeking, {first}. Hier zijn de gegevens.",
            "Check online in en neem een geldig identiteitsbewijs mee.",
            "Boeking beheren",
            "Van",
            "Naar",
        ],
    ),
    (
        "pl",
        [
            "Rezerwacja {order} potwierdzona",
            "Dzi\u{119}kujemy za rezerwacj\u{119}, {first}. Oto szczeg\u{f3}\u{142}y.",
            "Odpraw si\u{119} online i zabierz dokument to\u{17c}samo\u{15b}ci.",
            "Zarz\u{105}dzaj rezerwacj\u{105}",
            "Z",
            "Do",
        ],
    ),
];

/// All of them.
pub(super) fn mails(languages: &[Language]) -> Vec<Mail> {
    let mut mails = Vec::new();
    for language in languages {
        for kind in KINDS {
            for at in 0..EACH {
                mails.extend(booking(kind, language, Seed::of(&["booking", kind, language.code, &at.to_string()])));
            }
        }
    }
    mails
}

fn booking(kind: &str, language: &Language, mut seed: Seed) -> Option<Mail> {
    let (_, words) = WORDS.iter().find(|(code, _)| *code == language.code)?;
    let (carrier, name, domain) = seed.pick(&CARRIERS);
    let company = match kind {
        "flight" | "train" => Company { name: name.to_owned(), domain: domain.to_owned() },
        _ => Company::some(language, &mut seed),
    };
    let mut facts = Facts::of(language, company, &mut seed);
    facts.order = seed.token(6).to_uppercase();
    let begin = facts.day.after(i64::try_from(seed.between(5, 60)).unwrap_or(9));
    let ((from, from_city), (to, to_city)) = (seed.pick(&AIRPORTS), seed.pick(&AIRPORTS));
    let number = format!("{carrier} {}", seed.digits(3));
    let (what, rows) = match kind {
        "flight" => (
            json!({
                "@type": "FlightReservation",
                "reservationStatus": "http://schema.org/ReservationConfirmed",
                "reservationFor": {
                    "@type": "Flight",
                    "flightNumber": number,
                    "airline": {"@type": "Airline", "name": name, "iataCode": carrier},
                    "departureAirport": {"@type": "Airport", "name": from_city, "iataCode": from},
                    "departureTime": begin.iso(),
                    "arrivalAirport": {"@type": "Airport", "name": to_city, "iataCode": to},
                    "arrivalTime": begin.later(7_800).iso(),
                },
            }),
            vec![
                format!("{} | {from_city} ({from})", words[4]),
                format!("{} | {to_city} ({to})", words[5]),
                format!("{number} | {}, {}", language.day(begin), language.time(begin)),
            ],
        ),
        "train" => (
            json!({
                "@type": "TrainReservation",
                "reservationFor": {
                    "@type": "TrainTrip",
                    "trainNumber": seed.digits(4),
                    "departureStation": {"@type": "TrainStation", "name": from_city},
                    "departureTime": begin.iso(),
                    "arrivalStation": {"@type": "TrainStation", "name": to_city},
                },
            }),
            vec![
                format!("{} | {from_city}", words[4]),
                format!("{} | {to_city}", words[5]),
                format!("{} | {}", language.day(begin), language.time(begin)),
            ],
        ),
        "hotel" => (
            json!({
                "@type": "LodgingReservation",
                "reservationFor": {"@type": "LodgingBusiness", "name": facts.company.name, "address": facts.city},
                "checkinTime": begin.iso(),
                "checkoutTime": begin.after(3).iso(),
            }),
            vec![
                format!("Check-in | {}", language.day(begin)),
                format!("Check-out | {}", language.day(begin.after(3))),
                format!("{} | {}", facts.city, language.money(facts.amount)),
            ],
        ),
        _ => (
            json!({
                "@type": "FoodEstablishmentReservation",
                "reservationFor": {"@type": "FoodEstablishment", "name": facts.company.name},
                "startTime": begin.iso(),
                "partySize": seed.between(2, 8),
            }),
            vec![
                format!("{} | {}", language.day(begin), language.time(begin)),
                format!("{} | {}", facts.company.name, facts.city),
            ],
        ),
    };
    let mut data = json!({
        "@context": "http://schema.org",
        "reservationNumber": facts.order,
        "underName": {"@type": "Person", "name": facts.name()},
    });
    if let (Some(data), Some(what)) = (data.as_object_mut(), what.as_object()) {
        data.extend(what.clone());
    }
    let mut lines = vec![('h', facts.fill(words[0], &mut seed)), ('p', facts.fill(words[1], &mut seed))];
    lines.extend(rows.into_iter().map(|row| ('r', row)));
    lines.extend([('b', words[3].to_owned()), ('p', words[2].to_owned())]);
    let look = Look::of(&facts.company.domain);
    let content = look.content(&lines, &facts, &mut seed);
    let page = look
        .page(&content, &facts, &mut seed)
        .replace("</head>", &format!("<script type=\"application/ld+json\">{data}</script>\n</head>"));
    let service = seed.pick(&TRANSACTIONAL);
    let mut letter = Letter { subject: facts.fill(words[0], &mut seed), service, ..Letter::default() };
    sender(&mut letter, "booking", &facts, &mut seed);
    letter.html = Finish { service, is_bulk: false, home: String::new() }.page(&page, &facts, &mut seed);
    letter.text = text_of(&letter.html);
    letter.both = seed.chance(60);
    if matches!(kind, "flight" | "train") && seed.chance(60) {
        letter.attachments.push(attachment::named(
            &format!("{}_{}.pdf", seed.pick(&["ticket", "itinerary", "e-ticket"]), facts.order),
            &letter.subject,
            &mut seed,
        ));
    }
    let bytes = letter.bytes(&facts, &mut seed);
    Some(Mail {
        vendor: format!("booking-{kind}"),
        genre: "booking",
        language: language.code,
        source: "booking.rs".to_owned(),
        bytes,
    })
}
