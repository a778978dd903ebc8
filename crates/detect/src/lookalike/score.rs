//! What today's good mail says in the words of phishing and spam: resets that were asked for, warnings of real
//! sign-ins, receipts, parcels, forms of colleagues, newsletters with all their decoration, appeals, shops.

use super::Specimen;
use super::letter::Letter;

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [accounts(), money(), work(), newsletters(), talk(), offers(), odd_forms()].concat()
}

const PHISH: &[&str] = &["PHI-0001", "PHI-0100"];
const SPAM: &[&str] = &["SPM-0001"];
const BOTH: &[&str] = &["PHI-0001", "PHI-0100", "SPM-0001"];

fn page(like: &'static [&'static str], name: &'static str, from: &str, subject: &str, html: &str) -> Specimen {
    Specimen::mail(like, name, &Letter::new(subject).from(from).page(html))
}

fn text(like: &'static [&'static str], name: &'static str, from: &str, subject: &str, text: &str) -> Specimen {
    Specimen::mail(like, name, &Letter::new(subject).from(from).text(text))
}

fn accounts() -> Vec<Specimen> {
    vec![
        page(
            PHISH,
            "a reset of a password that was asked for",
            "Example Shop <no-reply@shop.example>",
            "Reset your password",
            "<p>Hello Bert,</p><p>you requested a new password for your account. The link works for 24 hours:</p><p><a \
             href='https://shop.example/reset?token=9f8e7d6c5b4a39281706'>Reset password</a></p><p>If you did not \
             request this, please ignore this mail.</p><p>&copy; 2026 Example Shop</p>",
        ),
        page(
            PHISH,
            "Google's warning of a new sign-in",
            "Google <no-reply@accounts.google.com>",
            "Security alert",
            "<p>A new sign-in on Windows</p><p>bert@example.com</p><p>We noticed a new sign-in to your Google Account. \
             If this was you, you don't need to do anything. If not, we'll help you secure your account.</p><p><a \
             href='https://accounts.google.com/AccountChooser?Email=bert@example.com'>Check activity</a></p>",
        ),
        page(
            PHISH,
            "a bank that will change its app, from the bank",
            "Sparkasse <info@sparkasse.de>",
            "Ihre neue S-pushTAN-App",
            "<p>Guten Tag,</p><p>ab Dezember nutzen Sie Ihr Konto mit der neuen App. Bitte aktualisieren Sie sie bis \
             zum 15. Dezember. Wir fragen nie per E-Mail nach Ihrer PIN oder TAN.</p><p><a \
             href='https://www.sparkasse.de/app'>Mehr erfahren</a></p>",
        ),
        text(
            PHISH,
            "a password that will expire, from one's own helpdesk",
            "IT Helpdesk <helpdesk@example.com>",
            "Your password expires in 5 days",
            "Hello Bert,\n\nyour password expires in 5 days. Please press Ctrl+Alt+Del and choose 'Change it'.\n\
             There is no link in this mail, and we never ask for your password.\n\nYour helpdesk, extension 400\n",
        ),
        page(
            PHISH,
            "a code for signing in",
            "Example Forge <noreply@forge.example>",
            "Your code is 482 913",
            "<p>Your sign-in code is <b>482 913</b>. It expires in ten minutes. Do not share it with anybody: our team \
             never asks for it.</p>",
        ),
        page(
            PHISH,
            "an address to be confirmed",
            "Example Club <hello@club.example>",
            "Please confirm your email address",
            "<p>Welcome! Please confirm your email address so that we can activate your account.</p><p><a \
             href='https://club.example/confirm/1f2e3d4c5b6a'>Confirm my address</a></p>",
        ),
    ]
}

fn money() -> Vec<Specimen> {
    vec![
        page(
            BOTH,
            "a payment that failed, from where it was to be made",
            "Example Music <billing@music.example>",
            "Your payment failed",
            "<p>Hi Bert, we could not charge your card for your monthly subscription (EUR 9.99). Please update your \
             payment details within 7 days to keep your playlists.</p><p><a \
             href='https://music.example/account/billing'>Update payment details</a></p>",
        ),
        page(
            PHISH,
            "a parcel that waits at the carrier's shop",
            "DHL Paket <noreply@dhl.de>",
            "Ihr Paket liegt zur Abholung bereit",
            "<p>Ihre Sendung 00340434161094042557 konnte nicht zugestellt werden und liegt bis zum 30.11. in der \
             Filiale. Bitte bringen Sie Ihren Ausweis mit.</p><p><a \
             href='https://www.dhl.de/de/privatkunden/dhl-sendungsverfolgung.html?piececode=00340434161094042557'>\
             Sendung verfolgen</a></p>",
        ),
        text(
            BOTH,
            "an invoice of a small firm with a free mailbox",
            "Gaertnerei Blum <gaertnerei.blum@gmx.de>",
            "Rechnung 2026-114",
            "Sehr geehrter Herr Example,\n\nanbei unsere Rechnung 2026-114 ueber 340,00 EUR fuer die Hecke. Bitte \
             ueberweisen Sie bis zum 10. Dezember auf das bekannte Konto.\n\nVielen Dank und freundliche Gruesse\n\
             Monika Blum\n",
        ),
        page(
            BOTH,
            "a receipt through a sending service",
            "Example Tickets <receipts@tickets.example>",
            "Your receipt from Example Tickets #1042-7781",
            "<p>Receipt #1042-7781</p><p>Amount paid $48.00, paid with Visa ending 4242.</p><p>2 x Museum day ticket \
             $48.00</p><p><a href='https://u123.ct.sendgrid.net/ls/click?upn=u001.9f8e7d6c5b4a392817060f1e2d3c4b5a69'>\
             View in browser</a></p><img src='https://u123.ct.sendgrid.net/wf/open?upn=u001.9f8e' width=1 height=1>",
        ),
    ]
}

fn work() -> Vec<Specimen> {
    vec![
        Specimen::mail(
            PHISH,
            "a form of a colleague",
            &Letter::new("Re: summer party")
                .field("In-Reply-To", "<7@example.com>")
                .field("References", "<7@example.com>")
                .text("Hi Bert,\n\nplease fill in who comes: https://forms.gle/a1B2c3D4e5F6g7H8\n\nThanks, Anna\n"),
        ),
        page(
            PHISH,
            "a document that a colleague shares",
            "Anna Example (via Google Docs) <drive-shares-dm-noreply@google.com>",
            "Document shared with you: \"Budget 2027\"",
            "<p>anna@partner.example has invited you to edit the following document:</p><p><a \
             href='https://docs.google.com/document/d/1aB2cD3eF4gH5iJ6kL7mN8oP9q/edit?usp=sharing'>Budget 2027</a></p>",
        ),
        text(
            PHISH,
            "a head of department who asks for a call",
            "Clara Chief <clara@example.com>",
            "Are you available?",
            "Hi Bert, are you available for a quick call at three? It is about the offer for Partner. Clara\n",
        ),
        text(
            PHISH,
            "a handbook that is to be signed, from one's own house",
            "Human Resources <hr@example.com>",
            "Please sign the handbook 2027",
            "Dear all,\n\nthe new employee handbook is on the intranet. Please read and sign it by 15 December.\n\n\
             Human Resources\n",
        ),
        page(
            PHISH,
            "a meeting of a meeting service",
            "Zoom <no-reply@zoom.us>",
            "Anna has invited you to a meeting",
            "<p>Join the meeting: <a href='https://us02web.zoom.us/j/81234567890?pwd=abcDEF'>Join</a></p><p>Passcode: \
             482913</p>",
        ),
    ]
}

fn newsletters() -> Vec<Specimen> {
    let list = |letter: Letter| {
        letter
            .field("List-Unsubscribe", "<https://click.mail.store.example/u/9f8e7d>")
            .field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    };
    vec![
        Specimen::mail(
            BOTH,
            "a shop's sale with all its decoration",
            &list(Letter::new("\u{1f525} Last chance: 30% off!")).from("Store <news@mail.store.example>").page(
                "<div style='display:none'>Only until Sunday \u{200c}\u{a0}\u{200c}</div><p><a \
                 href='https://click.mail.store.example/c/9f8e7d6c5b4a39281706'><img \
                 src='https://cdn.images.example.net/banner.png'></a></p><p>Save 30% on all jackets. Free shipping. \
                 Limited time only.</p><p><a href='https://click.mail.store.example/c/aa11'>SHOP NOW</a></p>\
                 <p>Store Inc, 1 Main Street, Springfield. \
                 <a href='https://click.mail.store.example/u/9f8e7d'>Unsubscribe</a></p>",
            ),
        ),
        Specimen::mail(
            BOTH,
            "a weekly letter of a paper",
            &list(Letter::new("The week in ten stories")).from("The Paper <newsletter@paper.example>").page(
                "<h1>The week in ten stories</h1><p>Banks warn of a new wave of phishing: criminals write that an \
                 account will be suspended and ask for passwords.</p><p><a href='https://paper.example/a/1'>Read \
                 on</a></p><p><a href='https://paper.example/a/2'>The lottery's winner gives a million away</a></p>",
            ),
        ),
        Specimen::mail(
            SPAM,
            "an appeal of a charity",
            &list(Letter::new("Your gift saves lives")).from("Relief <help@relief.example>").text(
                "Dear Bert,\n\nafter the flood thousands have lost their homes. With 50 EUR a family has clean water \
                 for a month.\nPlease donate today: https://relief.example/donate\n\nThank you!\n",
            ),
        ),
        Specimen::mail(
            SPAM,
            "a pharmacy's order",
            &Letter::new("Your order has shipped").from("Pharmacy <order@pharmacy.example>").text(
                "Dear Mr Example,\n\nyour prescription (tablets, 2 packs) is on its way. Track it: \
                 https://pharmacy.example/track/1122\n\nYour pharmacy\n",
            ),
        ),
    ]
}

fn talk() -> Vec<Specimen> {
    vec![
        text(
            BOTH,
            "a question about a mail that looks like phishing",
            "Anna Partner <anna@partner.example>",
            "Is this phishing?",
            "Hi Bert,\n\nI got a mail that says my account will be suspended and I must verify my password within 24 \
             hours.\nI did not click. Did you get it as well?\n\nAnna\n",
        ),
        text(
            SPAM,
            "an offer that was asked for",
            "Sales <sales@machines.example>",
            "Quotation 4711 for your request of 20 November",
            "Dear Bert,\n\nthank you for your request. We offer the milling machine M2 at EUR 18,400, delivery in six \
             weeks, guarantee two years.\n\nBest regards\nPaul Maker\n",
        ),
        text(
            SPAM,
            "a rule against spam, discussed",
            "Carl <carl@lists.example>",
            "Re: filter rules",
            "> viagra, lottery, free money\n\nThese words alone make too many false positives. What about headers?\n",
        ),
    ]
}

/// What firms really offer to those who asked, and what is announced to those who read it.
fn offers() -> Vec<Specimen> {
    vec![
        page(
            BOTH,
            "a bank's letter on a loan that its customer has",
            "Example Savings Bank <service@savings.example>",
            "The fixed rate of your mortgage ends in March",
            "<p>Dear Mr Example,</p><p>the fixed rate of your mortgage 4711-22 ends on 31 March. If you wish to go \
             on with us, we offer you 3.4 % for ten years. Your adviser Ms Weber calls you next week; you need not \
             do anything before.</p><p><a href='https://www.savings.example/mortgage'>Your offer in online \
             banking</a></p><p>Example Savings Bank, Market Square 1</p>",
        ),
        Specimen::mail(
            BOTH,
            "a university's call for papers on a list",
            &Letter::new("[ling] CFP: Workshop on dialects, deadline extended")
                .from("Institute of Linguistics <workshop@university.example>")
                .field("List-Id", "<ling.lists.example>")
                .text(
                    "Dear colleagues,\n\nwe invite papers for the workshop on dialects (Graz, 4-5 May). Abstracts of \
                     at most 500 words until 15 January. There is no fee; travel grants for students are available.\n\n\
                     Programme committee: A. Huber, C. Rossi\nhttps://workshop.university.example/\n",
                ),
        ),
        text(
            BOTH,
            "a question of one firm to another about goods",
            "Paula Buyer <p.buyer@workshop.example>",
            "Request for a quotation: 40 bearings 6204",
            "Dear Sir or Madam,\n\nwe need 40 bearings 6204-2RS until the end of January. Please send us your price \
             and the time of delivery.\n\nKind regards\nPaula Buyer\nWorkshop Ltd, purchasing, +44 20 7946 0958\n",
        ),
        Specimen::mail(
            SPAM,
            "a roofer's answer to a request",
            &Letter::new("Re: new gutters for 12 Mill Lane")
                .from("Tom Roofer <tom@roofer.example>")
                .field("In-Reply-To", "<8@example.com>")
                .text(
                    "Hello Bert,\n\nthanks for showing me the house on Tuesday. New gutters and the gutter guards \
                     come to GBP 1,850, guaranteed for ten years. I could begin on 12 January.\n\nTom\n",
                ),
        ),
        page(
            BOTH,
            "a health insurer's reminder of a check-up",
            "Example Health <news@health.example>",
            "Your free check-up from 50",
            "<p>Dear Bert Example,</p><p>from your fiftieth birthday we pay for a check of heart, blood sugar and \
             prostate every three years. Bring your card to your doctor.</p><p><a \
             href='https://www.health.example/check'>What is examined</a></p>",
        ),
        page(
            BOTH,
            "a first discount for a new member of a shop under a new ending",
            "Teehaus Blum <hallo@teehaus.shop>",
            "Willkommen, hier ist Ihr Gutschein",
            "<p>Hallo Bert,</p><p>danke f\u{fc}r Ihre Anmeldung. Mit dem Code TEE10 sparen Sie 10 % bei der ersten \
             Bestellung.</p><p><a href='https://teehaus.shop/sorten'>Zu den Sorten</a></p><p>Teehaus Blum, Lange \
             Gasse 3, Regensburg</p>",
        ),
    ]
}

/// Forms that bulk mail has, and good mail as well.
fn odd_forms() -> Vec<Specimen> {
    vec![
        text(
            BOTH,
            "a report of a program with rows of signs",
            "backup <backup@example.com>",
            "*** backup of db1 finished ***",
            "========================================\nbackup of db1\n========================================\n\
             files 18,422, bytes 91,002,114, errors 0\n########################################\n",
        ),
        text(
            BOTH,
            "a Japanese firm that writes its name in wide letters",
            "\u{ff21}\u{ff22}\u{ff23}\u{682a}\u{5f0f}\u{4f1a}\u{793e} <sales@abc.example>",
            "\u{898b}\u{7a4d}\u{66f8}\u{306e}\u{4ef6}",
            "Dear Bert,\n\nplease find our answers to your questions of Monday below. The drawings follow tomorrow.\n\n\
             Kenji Sato\n",
        ),
        text(
            BOTH,
            "a talk about a template with a field in braces",
            "Anna Partner <anna@partner.example>",
            "the greeting {name} in our template",
            "Hi Bert,\n\nthe template still writes {{ first_name }} where a member has no name. Can we fall back to \
             'Hello'?\n\nAnna\n",
        ),
        text(
            SPAM,
            "a member's letter full of joy",
            "Uncle Joe <joe@family.example>",
            "WE ARE GRANDPARENTS!!!",
            "Hi Bert!!!\n\nIt's a girl! 3,400 g, and she has your eyes! Come and see her, we have cake! Mary is \
             fine! We are so happy!\n\nJoe\n",
        ),
        text(
            BOTH,
            "a lesson on the sounds of a language",
            "Clara Teacher <clara@school.example>",
            "the vowels of lesson 4: /\u{251}/ and /\u{254}/",
            "Dear all,\n\nplease practise the words of lesson 4: hot [h\u{251}t], law [l\u{254}]. We meet on Thursday \
             in room 12.\n\nClara\n",
        ),
    ]
}
