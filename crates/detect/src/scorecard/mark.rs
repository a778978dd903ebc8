//! The marks of a mail that a scorecard weighs, besides its words: each has a name, by which weights speak of it, and a
//! sentence for people. Some are hard: they are facts about sender, links or files that no text makes up for, and only
//! together with one of them may a score hold a mail.

/// Makes the marks, each with its name, the points that it may count at most, and its sentence ("The mail ..."); hard
/// ones are marked so.
macro_rules! marks {
    ($($mark:ident $name:literal $bound:literal $sentence:literal $($hard:ident)?,)*) => {
        /// One mark.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mark {
            $(#[doc = concat!("The mail ", $sentence, ".")] $mark,)*
        }

        impl Mark {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$mark,)*];

            /// The name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$mark => $name,)* }
            }

            /// The points that it may count at most: above 0 it speaks against a mail, below 0 for it, and at 0 it
            /// counts only together with others. An estimate that leaves these bounds has learned its corpus.
            pub fn bound(self) -> i32 {
                match self { $(Self::$mark => $bound,)* }
            }

            /// What it means, completing "The mail ...".
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$mark => $sentence,)* }
            }

            /// Whether it is a fact that no text makes up for.
            pub fn is_hard(self) -> bool {
                match self { $(Self::$mark => marks!(@hard $($hard)?),)* }
            }
        }
    };
    (@hard hard) => { true };
    (@hard) => { false };
}

marks! {
    // The sender.
    FromMissing "from-missing" 200 "names no sender that could be answered",
    FromNoSuffix "from-no-suffix" 200 "is from a domain that cannot exist" hard,
    FromGarbled "from-garbled" 200 "is from a host whose name no mail program accepts" hard,
    FromFreeMail "from-free-mail" 60 "is from a mailbox that anybody gets for nothing",
    FromFreeHost "from-free-host" 200 "is from a host name that anybody gets for nothing" hard,
    FromBrand "from-brand" -120 "is from the domain of a known brand",
    FromBrandInDomain "from-brand-in-domain" 200 "is from a foreign domain that has a brand's name in it" hard,
    FromBrandBelow "from-brand-below" 200 "is from a foreign host with a brand's name in one label",
    FromLookalike "from-lookalike" 200 "is from a domain that only looks like a known one" hard,
    FromRole "from-role" -30 "is from a role such as billing or support",
    FromNoReply "from-no-reply" 0 "is from an address that takes no answers",
    FromDigits "from-digits" 100 "is from an address with many digits",
    FromRandom "from-random" 100 "is from an address that looks made by a machine",
    FromLongAddress "from-long-address" 50 "is from a very long address",
    DomainRandom "domain-random" 100 "is from a domain whose name looks made by a machine",
    DomainDigits "domain-digits" 60 "is from a domain with digits in its name",
    DomainHyphens "domain-hyphens" 60 "is from a domain with several hyphens in its name",
    DomainLong "domain-long" 40 "is from a domain with a very long name",
    DomainDeep "domain-deep" 40 "is from a host with many labels",
    DomainNewEnding "domain-new-ending" 60 "is from a domain under one of the new endings",
    DomainCheapEnding "domain-cheap-ending" 120 "is from a domain under an ending that costs next to nothing",
    FromTenant "from-tenant" 150 "is from the first name of a rented office, and from no domain of its own",
    LocalBrandElsewhere "local-brand-elsewhere" 150 "has a brand in its address and is not from the brand's domain",
    FromJoinedWords "from-joined-words" 100 "is from an address of several words that are joined by capitals",
    DomainForeignLetters "domain-foreign-letters" 200 "is from a domain in other letters than it is sent in",
    SenderSendingService "sender-sending-service" 0 "was sent through a service for newsletters",
    NameMissing "name-missing" 80 "shows no name of its sender",
    NameBrandElsewhere "name-brand-elsewhere" 200 "shows a brand as its sender and is not from the brand's domain" hard,
    NameBrandLocal "name-brand-local" 200 "shows a brand with local houses and is not from its domain",
    NameBrandFreeMail "name-brand-free-mail" 200 "shows a brand as its sender and is from a free mailbox" hard,
    NameOffice "name-office" 40 "shows an office and no person as its sender",
    NameOfficeFreeMail "name-office-free-mail" 100 "shows an office as its sender and is from a free mailbox" hard,
    NameAddressElsewhere "name-address-elsewhere" 200 "shows one address as its sender and is from another" hard,
    NameOurs "name-ours" 200 "shows the recipient's own organisation as its sender and is from elsewhere" hard,
    NameRecipient "name-recipient" 40 "shows the recipient as its sender",
    NameOddLetters "name-odd-letters" 200 "shows a sender's name with look-alike or unseen letters" hard,
    NameDecorated "name-decorated" 150 "shows a sender's name between signs",
    NameStyled "name-styled" 200 "shows a sender's name in letters of formulas or sounds",
    NameCapitals "name-capitals" 50 "shows a sender's name in capitals",
    NameDigits "name-digits" 50 "shows a sender's name with digits",
    NameJoined "name-joined" 80 "has its sender's name of several words as its address, at a domain of its own",
    NameLong "name-long" 50 "shows a very long sender's name",
    NameIsLocal "name-is-local" 0 "shows its address as the sender's name",
    FromDmarcFail "from-dmarc-fail" 0 "fails the check of its sender's domain (DMARC)" hard,
    ReplyElsewhere "reply-elsewhere" 40 "sends answers to another domain",
    ReplyFreeMail "reply-free-mail" 200 "is from a company and sends answers to a free mailbox" hard,
    ReplySameName "reply-same-name" 200 "sends answers to the same name at another domain" hard,
    MessageIdMissing "message-id-missing" 0 "has no Message-ID",
    MessageIdElsewhere "message-id-elsewhere" 40 "has a Message-ID of another domain and no sending service",
    MessageIdOdd "message-id-odd" 60 "has a malformed Message-ID",
    DateMissing "date-missing" 0 "has no date",
    ToSelf "to-self" 80 "is addressed to its own sender",
    ToNobody "to-nobody" 80 "names no recipient",
    ToMany "to-many" 40 "is addressed to many at once",
    // What it says it is.
    Thread "thread" -120 "answers a mail, as its header says",
    ThreadClaim "thread-claim" 80 "claims to answer or forward a mail and refers to none",
    List "list" -80 "came over a mailing list",
    Unsubscribe "unsubscribe-field" -30 "has a field to unsubscribe with",
    OneClick "one-click-field" 0 "has a field to unsubscribe with one click",
    Bulk "bulk-field" 0 "says that it goes to many",
    Automatic "automatic-field" 0 "says that a program wrote it",
    UrgentField "urgent-field" 80 "says that it is urgent",
    Report "report" -100 "is a delivery report",
    Calendar "calendar" -80 "has an invitation to a meeting",
    CalendarStranger "calendar-stranger" 200 "has an invitation that leads to a stranger",
    Signed "signed" -100 "has a signature of a cryptographic kind",
    Patch "patch" -150 "has changes of source code in it",
    Quote "quote" -120 "quotes what it answers",
    // The subject.
    SubjectEmpty "subject-empty" 60 "has no subject",
    SubjectOneWord "subject-one-word" 60 "has a subject of one word",
    SubjectLong "subject-long" 40 "has a very long subject",
    SubjectCapitals "subject-capitals" 100 "has a subject in capitals",
    SubjectEmoji "subject-emoji" 50 "has a picture letter in its subject",
    SubjectMarks "subject-marks" 80 "has a subject with several exclamation or question marks",
    SubjectNumber "subject-number" 40 "has a long number in its subject",
    SubjectToken "subject-token" 40 "has a word of letters and digits in its subject, as programs make them",
    SubjectMoney "subject-money" 60 "names a sum of money in its subject",
    SubjectRecipient "subject-recipient" 60 "has the recipient's address or name in its subject",
    SubjectOurs "subject-ours" 100 "has the recipient's organisation in its subject and is from elsewhere",
    SubjectOddLetters "subject-odd-letters" 200 "has look-alike or unseen letters in its subject" hard,
    SubjectDecorated "subject-decorated" 150 "has a subject between signs",
    SubjectStyled "subject-styled" 200 "has a subject in letters of formulas or sounds",
    SubjectTag "subject-tag" 120 "has a mark of letters and digits at the end of its subject, as one mailing has",
    SubjectBlanks "subject-blanks" 80 "has a run of blanks in its subject",
    SubjectDate "subject-date" 20 "has a date or a time in its subject",
    SubjectBrandElsewhere "subject-brand-elsewhere" 40 "names a brand in its subject and is from elsewhere",
    SubjectBrandNowhere "subject-brand-nowhere" 200 "names a brand in its subject that it has nothing to do with" hard,
    SubjectBrandOwn "subject-brand-own" -50 "names in its subject the brand that it is from",
    // The links.
    LinkNone "link-none" 0 "has no link",
    LinkOne "link-one" 40 "has one link",
    LinkFew "link-few" 40 "has two or three links",
    LinkMany "link-many" -80 "has over twenty links",
    LinkOneTarget "link-one-target" 60 "leads to one and the same page with all of its links",
    LinkOneDomain "link-one-domain" 40 "leads to one domain with all of its links",
    LinkManyDomains "link-many-domains" 0 "leads to over five domains",
    LinkOwn "link-own" -120 "leads to its sender's domain",
    LinkAllOwn "link-all-own" -80 "leads to nobody but its sender",
    LinkForeign "link-foreign" 50 "leads nowhere to its sender's domain",
    LinkOfBrand "link-of-brand" 0 "leads to a known brand",
    LinkOfBrands "link-of-brands" -80 "leads to several known brands, as below newsletters",
    LinkFreeHost "link-free-host" 200 "leads to a page that anybody makes for nothing" hard,
    LinkBucket "link-bucket" 200 "leads to a file in rented storage" hard,
    LinkTunnel "link-tunnel" 200 "leads to a machine at somebody's home" hard,
    LinkBlog "link-blog" 0 "leads to a free blog",
    LinkDocs "link-docs" 0 "leads to a document or form that anybody makes for nothing",
    LinkShortener "link-shortener" 200 "leads through a link shortener" hard,
    LinkForm "link-form" 200 "leads to a form that anybody makes for nothing" hard,
    LinkFileShare "link-file-share" 60 "leads to a shared file",
    LinkRedirector "link-redirector" 200 "leads through a site that passes on to another" hard,
    LinkAddress "link-address" 200 "leads to a number instead of a name" hard,
    LinkPort "link-port" 200 "leads to an odd port" hard,
    LinkDisguised "link-disguised" 200 "has a link that hides where it leads" hard,
    LinkForeignLetters "link-foreign-letters" 200 "leads to a domain in other letters" hard,
    LinkBrandInDomain "link-brand-in-domain" 200 "leads to a foreign domain that has a brand's name in it" hard,
    LinkBrandBelow "link-brand-below" 200 "leads to a foreign host with a brand's name in one label",
    LinkBrandInPath "link-brand-in-path" 200 "leads to a foreign page with a brand's name in its path" hard,
    LinkBrandShown "link-brand-shown" 200 "shows a brand in a link that does not lead to it" hard,
    LinkLookalike "link-lookalike" 200 "leads to a domain that only looks like a known one" hard,
    LinkMismatch "link-mismatch" 60 "has a link that shows another domain than it leads to",
    LinkMismatchForeign "link-mismatch-foreign" 200 "shows its sender's domain in a link that leads elsewhere" hard,
    LinkRecipient "link-recipient" 80 "has the recipient's address in a link" hard,
    LinkOurs "link-ours" 200 "has the recipient's organisation in a link that leads elsewhere" hard,
    LinkCredentials "link-credentials" 100 "leads to a page for signing in that is not its sender's",
    LinkCms "link-cms" 200 "leads into the inside of a site, as broken-into ones do" hard,
    LinkScriptToken "link-script-token" 80 "leads to a script with a mark of the recipient",
    LinkPage "link-page" 0 "leads to a single page file",
    LinkLongToken "link-long-token" 50 "has a link with a long mark in it",
    LinkVeryLong "link-very-long" 30 "has a very long link",
    LinkFragment "link-fragment" 50 "has a link with something behind its page (#)",
    LinkPercent "link-percent" 50 "has a link with many escaped letters",
    LinkDeep "link-deep" 50 "leads to a host with many labels",
    LinkRandom "link-random" 100 "leads to a host whose name looks made by a machine",
    LinkDigits "link-digits" 40 "leads to a domain with digits in its name",
    LinkHyphens "link-hyphens" 50 "leads to a host with several hyphens in its name",
    LinkNewEnding "link-new-ending" 70 "leads to a domain under one of the new endings",
    LinkCheapEnding "link-cheap-ending" 120 "leads to a domain under an ending that costs next to nothing",
    LinkNewEndingPlain "link-new-ending-plain" 120 "leads without encryption to a domain under a new ending",
    LinkMarkAlone "link-mark-alone" 120 "leads to pages with nothing but a long mark as their name",
    LinkForeignCountry "link-foreign-country" 60 "leads to a country other than its sender's",
    LinkPlain "link-plain" 0 "has a link without encryption (http)",
    LinkBare "link-bare" 30 "leads to the front page of a foreign domain",
    LinkSendingService "link-sending-service" -40 "leads through a service for newsletters",
    LinkMeeting "link-meeting" -50 "leads to a meeting service",
    LinkUnsubscribe "link-unsubscribe" 0 "has a link to unsubscribe with",
    LinkMail "link-mail" 0 "has a link that writes a mail",
    LinkMailFree "link-mail-free" 200 "has a link that writes a mail to a free mailbox",
    LinkChat "link-chat" 200 "leads into a chat program",
    LinkPictureOnly "link-picture-only" 60 "has links behind pictures alone",
    LinkUpper "link-upper" 50 "shows a link in capitals",
    // The body.
    TextNone "text-none" 60 "has no text",
    TextTiny "text-tiny" 60 "has fewer than 15 words",
    TextShort "text-short" 40 "has fewer than 50 words",
    TextMedium "text-medium" 0 "has 50 to 200 words",
    TextLong "text-long" -50 "has over 400 words",
    TextVeryLong "text-very-long" -80 "has over 1,500 words",
    TextInFile "text-in-file" 80 "has its text in an attached document alone",
    PictureAlone "picture-alone" 80 "is one picture with a link",
    PictureLinked "picture-linked" 60 "has a picture that leads somewhere, and few words",
    PictureRemote "picture-remote" 0 "shows pictures from elsewhere",
    PicturePixel "picture-pixel" 0 "has a picture that nobody sees",
    PictureOfBrand "picture-of-brand" 100 "shows a picture from the site of a brand that it is not from" hard,
    PictureForeign "picture-foreign" 40 "shows pictures from neither its sender nor a sending service",
    HiddenText "hidden-text" 0 "has text that nobody sees",
    HiddenMuch "hidden-much" 80 "has more text that nobody sees than text",
    HiddenTiny "hidden-tiny" 40 "has text in letters too small to be seen",
    HiddenColourless "hidden-colourless" 200 "has text in the colour of its background",
    HiddenOffScreen "hidden-off-screen" 200 "has text outside the page",
    OddLetters "odd-letters" 200 "has letters of another alphabet within words" hard,
    OddLettersMany "odd-letters-many" 200 "has letters of another alphabet within many words" hard,
    HiddenLong "hidden-long" 120 "has much text that nobody sees",
    PlainDiffers "plain-differs" 150 "says something else in its plain text than in its page",
    Unfilled "unfilled" 150 "has a field of a mailing program that was not filled in",
    Spread "spread" 120 "sets letters of a word apart",
    SwappedLetters "swapped-letters" 150 "writes words with a letter or digit in place of one that looks like it",
    Ornament "ornament" 60 "has rows of signs as ornaments",
    DollarSigns "dollar-signs" 150 "has rows of dollar signs",
    ExclamationRun "exclamation-run" 80 "has rows of exclamation marks",
    PitchSome "pitch-some" 120 "has some turns of a sales letter",
    PitchSeveral "pitch-several" 120 "has several turns of a sales letter",
    PitchMany "pitch-many" 120 "has many turns of a sales letter",
    AddressOften "address-often" 60 "speaks to its reader in every sentence",
    GreetsAddress "greets-address" 120 "greets the recipient by the mail address",
    MoneyOften "money-often" 80 "names several sums of money",
    UnseenLetters "unseen-letters" 80 "has characters that nobody sees within words",
    BodyForm "body-form" 100 "has a form in its text" hard,
    BodyScript "body-script" 0 "has a script in its text",
    Capitals "capitals" 100 "has many words in capitals",
    Exclamations "exclamations" 100 "has many exclamation marks",
    Emoji "emoji" 30 "has picture letters in its text",
    Money "money" 50 "names a sum of money",
    MoneyLarge "money-large" 100 "names a very large sum of money",
    Percent "percent" 50 "names a share in percent",
    Phone "phone" 0 "has a telephone number",
    PhoneFree "phone-free" 80 "has a toll-free telephone number",
    PhoneOnly "phone-only" 60 "has a telephone number and no link",
    PhoneInSubject "phone-in-subject" 200 "has a telephone number in its subject" hard,
    Wallet "wallet" 200 "has the address of a crypto wallet" hard,
    AddressFreeMail "address-free-mail" 200 "has the address of a free mailbox in its text",
    RecipientInText "recipient-in-text" 30 "has the recipient's address in its text",
    OursInText "ours-in-text" 50 "has the recipient's domain in its text and is from elsewhere",
    TextBrandElsewhere "text-brand-elsewhere" 30 "names a brand and is not from the brand's domain",
    TextBrandNowhere "text-brand-nowhere" 200 "names a brand and neither is from it nor leads to it",
    TextBrandOwn "text-brand-own" -120 "names the brand that it is from",
    Tokens "tokens" 40 "has words of letters and digits, as programs make them",
    Copyright "copyright" -50 "has a line of copyright",
    CopyrightElsewhere "copyright-elsewhere" 200 "has a line of copyright of a brand that it is not from" hard,
    // The files.
    FileNone "file-none" 0 "has no file",
    FilePage "file-page" 100 "has a page attached",
    FilePageForm "file-page-form" 200 "has a page attached with fields to type into" hard,
    FilePageScript "file-page-script" 200 "has a page attached with a script",
    FilePdf "file-pdf" 50 "has a PDF attached",
    FilePdfEmpty "file-pdf-empty" 200 "has an empty file attached that is called a document",
    FileOffice "file-office" 0 "has a document attached",
    FileArchive "file-archive" 50 "has an archive attached",
    FileSvg "file-svg" 200 "has an SVG attached",
    FilePicture "file-picture" 0 "has a picture attached",
    FilePictureAlone "file-picture-alone" 80 "has a picture attached and hardly a word",
    FileMail "file-mail" -50 "has a mail attached",
    FileProfile "file-profile" 200 "has a configuration profile attached" hard,
    FileCode "file-code" 200 "has a code to photograph that leads somewhere" hard,
    FileLink "file-link" 60 "has a link in an attached document",
    FileLinkOne "file-link-one" 60 "has one link in an attached document",
    FileRecipient "file-recipient" 200 "has a file named after the recipient",
    FileDigits "file-digits" 50 "has a file with a long number as its name",
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_given_once_and_sentences_end_without_a_stop() {
        let names: BTreeSet<&str> = Mark::ALL.iter().map(|mark| mark.name()).collect();
        assert_eq!(names.len(), Mark::ALL.len());
        for mark in Mark::ALL {
            assert!(!mark.sentence().ends_with('.') && mark.sentence().len() > 8, "{mark:?}");
        }
        assert!(Mark::LinkShortener.is_hard() && !Mark::Thread.is_hard());
    }
}
