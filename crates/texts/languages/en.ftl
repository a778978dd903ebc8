# tag: en
#
# What the console says, in English. A message begins with the page that has it; what stands alone is used by several.
# A translation is a copy of this file with another tag. docs/guide/languages.md says how it is used.

language-name = English

## The frame of all pages

nav-label = Main
nav-menu = Menu
nav-skip = Skip to content
nav-sign-out = Sign out
nav-mail = Mail
nav-overview = Overview
nav-explorer = Explorer
nav-quarantine = Quarantine
nav-requests = Requests
nav-reports = Reports
nav-detection = Detection
nav-incidents = Incidents
nav-sentinel = Sentinel
nav-detections = Detections
nav-rulesets = Rulesets
nav-policies = Policies
nav-policy = Policy
nav-lists = Lists
nav-administration = Administration
nav-health = Health
nav-audit = Audit log
nav-holds = Legal holds
nav-people = People

## What several pages say

reason-for-record = Reason, for the record
since-by = since { $since } by { $by }
newest-part = (the newest part: there is too much to add up at once)
deliveries =
    { $count ->
        [one] { $count } delivery
       *[other] { $count } deliveries
    }
no-subject = (no subject)
null-sender = null sender
count-of = { $count } of { $all }
detection = Detection
state = State

## What is wrong

fault-bad = Invalid request
fault-bad-hint = Go back and change it.
fault-query = This query cannot be read
fault-unauthorized = Sign in first
fault-forbidden = You may not do this
fault-forbidden-hint = An administrator can, or can change your role.
fault-not-found = Not found
fault-not-found-hint = It may have been removed when its time was over.
fault-conflict = It cannot be done now
fault-conflict-hint = Somebody else may have been quicker: look at it again.
fault-too-many = Too many requests
fault-too-many-text = Try again in { $seconds } s.
fault-unavailable = The store is not available
fault-unavailable-hint = Mail is treated as the configuration says; see the log.
fault-internal = Something failed here
fault-internal-text = The log of the program says what.
fault-sign-in = Sign in
fault-typed = What you had typed

## Audit log

audit-verify = Verify integrity
audit-checkpoint = Signed checkpoint
audit-number = No.
audit-time = Time (UTC)
audit-actor = Actor
audit-action = Action
audit-object = Object
audit-reason = Reason
audit-newest = Newest
audit-older = Older
audit-intact = Intact. Verified: entries { $entries }, group commits { $commits }, verdicts { $verdicts }. Root: { $root }
audit-broken = Not intact

## Jobs over all matching messages

bulk-about = Actions on all messages that match a query. They are started in the Explorer.
bulk-none = No jobs.
bulk-number = No.
bulk-started = Started (UTC)
bulk-action = Action
bulk-by = Started by
bulk-units = Deliveries
bulk-reason = Reason
bulk-job = Job { $number }: { $action }
bulk-deliveries-or-more = { $count } or more deliveries
bulk-deliveries-so-far =
    { $count ->
        [one] { $count } delivery so far
       *[other] { $count } deliveries so far
    }
bulk-question =
    { $verb ->
        [release] Release { $deliveries }?
        [deny] Deny { $deliveries }?
       *[delete] Delete { $deliveries }?
    }
bulk-scope = Applies to everything that matches { $query } now, not to mail that comes later. Where it is not possible, the result says why.
bulk-harmful =
    { $count ->
        [one] { $number } of them was held as malware or high confidence phish.
       *[other] { $number } of them were held as malware or high confidence phish.
    }
bulk-start =
    { $verb ->
        [release] Release all
        [deny] Deny all
       *[delete] Delete all
    }
bulk-second-approval = Second approval required before it starts: { $why }.
bulk-sample = Newest deliveries
bulk-waiting = Waiting for second approval by someone other than { $actor }.
bulk-approve = Approve
bulk-cancel = Cancel job
bulk-outcome = Result
bulk-outcome-pending = pending
bulk-outcome-done = done
bulk-outcome-already = already done
bulk-outcome-refused = not possible
bulk-results = Results
bulk-results-of = Results: { $outcome }
bulk-results-all = All results
bulk-results-more = More results

## Bypassed messages

bypassed-title = Bypassed messages
bypassed-none = No messages passed unexamined while the panic switch was set to bypass.
bypassed-since = Bypass since (UTC)
bypassed-first = First message (UTC)
bypassed-last = Last message (UTC)
bypassed-messages = Messages
bypassed-received = Received (UTC)
bypassed-client = Client IP
bypassed-reply = SMTP reply
bypassed-more = and { $count } more

## Charts

chart-delivered = delivered
chart-held = held
chart-moving = in progress
chart-ended = not delivered
chart-refused = refused
chart-label =
    { $count ->
        [one] { $count } delivery
       *[other] { $count } deliveries
    } in { $intervals } intervals of { $minutes } min, at most { $most } in one
chart-column = { $at }: { $layers }
chart-column-empty = { $at }: no deliveries
chart-layer = { $count } { $name }
chart-none = None

## Confirmation before harmful mail is released

confirm-title = Release harmful mail?
confirm-why = It was held as malware or high confidence phish.
confirm-no-recall = Delivered mail cannot be recalled.
confirm-reason-missing = Enter a reason; it is recorded.
confirm-others =
    { $count ->
        [one] { $count } other selected delivery, in neither category, is released with it.
       *[other] { $count } other selected deliveries, in neither category, are released with it.
    }
confirm-release =
    { $count ->
        [one] Release to { $count } recipient
       *[other] Release to { $count } recipients
    }
confirm-from = From { $sender }, received { $received }
confirm-to = To { $recipients }

## Detections

detections-in-force =
    { $count ->
        [one] { $count } detection in force.
       *[other] { $count } detections in force.
    }
detections-legend = Hits: messages of the last 7 days in which the detection found something. Enforced hits: those that it could hold or block; the policy decided what was held, and { $query } finds in Explorer what is held now. Reported false positive: messages that were reported or that an incident cleared.
detections-category = Category
detections-effect = Effect
detections-mode = Mode
detections-hits = Hits
detections-acted = Enforced hits
detections-wrong = Reported false positive
detections-outside = External engine, or no longer in force
detections-mode-until = { $mode } until { $until }
detections-not-in-force = Not in the ruleset in force: it belongs to an external engine, or was withdrawn.
detections-contain = Contain
detections-version = Version
detections-target = Target
detections-scope = Scope
detections-owner = Owner
detections-outcome = Outcome of hits, last 7 days
detections-held = { $count } held
detections-held-means = A delivery is one message to one recipient. Held is what is in quarantine now and waits for a decision, as { $query } finds it, not what has been released, denied or deleted since.
detections-precision = Observed precision
detections-precision-of = at least { $least } with 95 % confidence: { $wrong } of { $acted } enforced hits in { $days } days were reported as false positive or cleared by an incident; a release alone does not count
detections-precision-none = no enforced hits in { $days } days
detections-good = False positive rate
detections-good-most = at most { $most }
detections-good-of = hits on { $hits } of { $seen } known-good samples in the last probe
detections-good-none = not tested on known-good samples yet
detections-cost = Scan time
detections-cost-of = { $ms } ms per MiB
detections-cost-none = none of its own: all checks share one pass over a message
detections-documentation = Documentation
detections-source = Source
detections-fixtures = Test messages
detections-fixtures-text = A ruleset is only built if the detection hits the first and misses the second.
detections-fixtures-hit = Must hit
detections-fixtures-miss = Must miss
detections-history = Version history
detections-since = since { $since }
detections-changes = Changes
detections-hours = Hours
detections-watch = Monitor only (shadow)
detections-disable = Disable
detections-enforce = Enforce
detections-days = Days
detections-try = Dry run on stored mail
detections-tried =
    { $days ->
        [one] Dry run of { $code }: last day
       *[other] Dry run of { $code }: last { $days } days
    }
detections-tried-text = Version { $version } was tested on stored mail. Of delivered mail only known-good mail is stored, and not all of it. Nothing was changed.
detections-tried-no-act = Its effect does not hold mail: hits are only recorded.
detections-tried-held = Messages in quarantine, now or before
detections-tried-delivered = Delivered messages stored as known-good
detections-tried-contents = Contents of delivered messages stored as known-good
detections-tried-back = Back to the detection
detections-would-hold = { $hits } of { $all } would have been held.
detections-would-find = { $hits } of { $all } would have been hits.
detections-tried-newest = Only the newest were examined.
detections-tried-unreadable = { $count } could not be examined.
detections-heard = Sentinel evidence
detections-heard-of = evidence { $evidence } (hits: { $hits }, sources: { $sources }, probe: { $probe_hits } of { $probe_seen })

## Lists

entries-title = Allow and block lists
entries-none = The lists have no entries.
entries-action = Action
entries-value = Value
entries-reach = Applies to
entries-reason = Reason
entries-owner = Added by
entries-until = Expires (UTC)
entries-last-used = Last match
entries-never = never
entries-allow = Allow
entries-block = Block
entries-sender = Sender
entries-domain = Domain
entries-url = URL
entries-file = File
entries-ip = IP address
entries-picture = Picture
entries-text = Text
entries-layout = Layout
entries-everyone = All recipients
entries-for-domain = Domain { $domain }
entries-for-recipient = Recipient { $recipient }
entries-malware = also for malware
entries-cause = because of a message
entries-remove = Remove
entries-add = Add entry
entries-kind = Type
entries-our-domain = For recipients of this domain
entries-only-domain = Only for recipients of this domain
entries-all-domains = all
entries-hours = Valid for (hours)

## Explorer

explorer-query = Query
explorer-search = Search
explorer-cancel = Cancel
explorer-offer-day = Last 24 hours
explorer-offer-held = Held
explorer-offer-malware = Malware
explorer-offer-phishing = Phishing
explorer-offer-outbound = Held outbound
explorer-offer-in-doubt = In doubt
explorer-offer-macros = Documents with macros
explorer-offer-large = 10 MB and larger
explorer-totals = Totals
explorer-found =
    { $count ->
        [one] { $number } delivery
       *[other] { $number } deliveries
    }
explorer-so-far = deliveries so far
explorer-newest-shown = deliveries; the chart and the groups show the newest
explorer-hours = Last 48 hours
explorer-days = Last 30 days
explorer-saved = Saved as { $name }
explorer-save-query = Save query
explorer-name = Name
explorer-tracked = Show on the overview
explorer-save = Save
explorer-forget = Delete saved query
explorer-group-by = Group by
explorer-version = Detection version
explorer-sender-domain = Sender domain
explorer-url-host = URL host
explorer-content-type = Content type
explorer-client = Client IP
explorer-others =
    { $count ->
        [one] { $count } more value is not shown.
       *[other] { $count } more values are not shown.
    }
explorer-counted-since = Counts messages since { $since }; the time limit was reached.
explorer-counted = Counts all matching messages.
explorer-select-all = Select all on this page
explorer-select = Select { $subject }
explorer-none = No matching messages.
explorer-none-so-far = No matching messages so far; the time limit was reached.
explorer-newest = Newest
explorer-older = Older
explorer-search-older = Search older messages
explorer-selected = Selected messages
explorer-release = Release
explorer-deny = Deny
explorer-delete = Delete
explorer-all-matching = All matching messages
explorer-jobs = Jobs
explorer-received = Received (UTC)
explorer-direction = Direction
explorer-sender = Sender
explorer-recipient = Recipient
explorer-subject = Subject
explorer-category = Category
explorer-disposition = Disposition
explorer-size = Size
explorer-message-id = Message-ID
explorer-mail-id = Network message ID
explorer-observed = not enforced
explorer-observed-why = Observe mode: the verdict was recorded, not enforced
explorer-columns = Columns
explorer-columns-apply = Apply
explorer-not-done = not done
explorer-result = Result
explorer-acted = { $action }: { $count } selected
explorer-message = Message
explorer-back = Back to the list
explorer-too-often = too many requests: try again in { $seconds } s

## Health

health-interfaces = Interfaces
health-metrics = Prometheus metrics
health-api = API description (OpenAPI)
health-readiness = Readiness
health-versions = Engine versions
health-engine = Engine
health-version = Version
health-data-version = Data version
health-first-seen = First seen (UTC)
health-ago = { $span } ago
health-ledger = Ledger
health-ledger-checked = Checked { $at }, in { $took } ms. Newer mail is not included.
health-ledger-now = Checked just now, at { $at } UTC.
health-ledger-check = Check now
health-ledger-good =
    { $accepted ->
        [one] Ledger consistent: { $accepted } delivery, in exactly one account
       *[other] Ledger consistent: { $accepted } deliveries, each in exactly one account
    }
health-ledger-bad = Ledger inconsistent
health-ledger-unconfirmed =
    { $count ->
        [one] { $count } delivery is unconfirmed: passed on without a recorded answer, or refused.
       *[other] { $count } deliveries are unconfirmed: passed on without a recorded answer, or refused.
    }
health-tasks = Background tasks
health-tasks-text = A task can be stopped at any time and resumes where it was. A failed task is retried in its next run.
health-task = Task
health-last-run = Last run (UTC)
health-took = Duration
health-period = Runs at least every
health-last-error = Last error
health-failing = Failing items
health-not-ended = not finished yet
health-failing-of = Failing items of { $task }
health-failing-text = Each item is retried after a pause of up to ten minutes; nothing else waits for it.
health-item = Item
health-failures = Failures
health-next-try = Next try (UTC)
health-error = Error
health-engines = Engines, latest messages
health-asked = Scanned
health-failed = Failed
health-median = Median time
health-disk = Disk space
health-disk-full = No more mail is accepted (452): the volume is full
health-disk-text = { $free } free on the store volume; below { $floor } no more mail is accepted. Size of the database: { $database }.
health-stored = Stored data
health-clock = The system clock is not trusted.
health-clock-text = It shows { $now }, but { $why }.
health-damaged =
    { $count ->
        [one] { $count } stored blob is damaged
       *[other] { $count } stored blobs are damaged
    }
health-damage = Message { $message }: { $why }
health-scrub-last = Last complete integrity check of the stored data: { $at }, { $blobs } blobs, { $size }.
health-scrub-first = The first integrity check of the stored data has not finished yet.
health-scrub-now = The current check (started { $began }) has read { $blobs } blobs, { $size }.
health-scrub-late = It takes longer than allowed: increase { $setting }.
health-holds =
    { $count ->
        [one] { $count } legal hold protects mail from expiry and deletion (messages: { $messages }, size: { $size }).
       *[other] { $count } legal holds protect mail from expiry and deletion (messages: { $messages }, size: { $size }).
    }
health-holds-counting = The search for their messages is still running.

## Settings

health-reload = Configuration
health-reload-text =
    { $count ->
        [one] Reload last requested { $at } (UTC) by { $by }: { $count } setting differs.
       *[other] Reload last requested { $at } (UTC) by { $by }: { $count } settings differ.
    }
health-reload-fault = What { $file } says is not in force:
settings-title = Settings in force
settings-text = Settings as the program read them from its file, defaults included. They are changed there, and { $reload } puts them in force; { $check } tells what is wrong with a file. Policy, rulesets, entries, people and tokens have pages of their own.
settings-general = General
settings-test = Test notifications
settings-test-text = A notification that is marked as a test goes to every webhook and every mailbox of { $section }, and to one of your recipients if you enter one. Nothing else changes.
settings-test-recipient = Also to this recipient
settings-test-nobody = none
settings-test-send = Send test
settings-test-none = Nobody was notified: no webhook and no mailbox is configured.
settings-for = Audience
settings-to = Sent to
settings-accepted = Accepted
settings-by = Answered by
settings-answer = Answer
settings-operators = Operators
settings-public = Public
settings-recipient = Recipient

## Legal holds

hold-text = Messages on legal hold do not expire and cannot be deleted until the hold is lifted; their records and audit entries are kept as well. New mail that matches is covered too. Messages can still be released.
hold-none = No legal holds.
hold-number = No.
hold-scope = Scope
hold-messages = Messages
hold-reason = Reason
hold-by = Placed by
hold-since = Since (UTC)
hold-show-active = Active holds only
hold-show-lifted = Show lifted holds
hold-new = New legal hold
hold-what = Address, query or network message ID
hold-place = Place hold
hold-kind-mail = Message
hold-kind-query = Query
hold-kind-person = Person
hold-lifted = lifted { $at } by { $by }: { $reason }
hold-lift = Lift hold
hold-of-mail = On legal hold
hold-of-mail-text = This message does not expire and cannot be deleted until these holds are lifted; it can still be released.
hold-of-mail-one = Hold { $number } ({ $kind }), placed { $made } by { $by }: { $reason }
hold-place-on = Place on legal hold

## Incidents

incident-intro = An incident tracks a detection that is, or may be, faulty: what it held stays held, is replayed, and good mail is delivered. The public sees the { $page }.
incident-status-page = status page
incident-none = No incidents.
incident-incident = Incident
incident-stage = Stage
incident-opened = Opened (UTC)
incident-deliveries = Deliveries
incident-progress = Progress
incident-replays = Replays
incident-examined = Re-examined
incident-left = Time left
incident-why = Reason, for the timeline
incident-why-of = Reason to pause or resume { $id }, for the timeline
incident-pause = Pause
incident-resume = Resume
incident-pending = Pending
incident-cleared = Cleared
incident-upheld = Upheld
incident-inconclusive = Inconclusive
incident-settled = Decided otherwise
incident-asked = Sender asked
incident-restored = Restored
incident-over = Done
incident-percent = { $percent } % done
incident-eta = about { $span } left
incident-cause = Cause
incident-in-force-since = In force since
incident-unknown = unknown
incident-began = Began
incident-unknown-yet = not known yet
incident-public-text = Public text
incident-contained = Contained
incident-contained-not = no
incident-owner = Owner
incident-owner-none = unassigned
incident-manifest = Manifest
incident-manifest-of =
    { $waves ->
        [one] { $waves } wave, root hash { $root }
       *[other] { $waves } waves, root hash { $root }
    }
incident-report = Report
incident-messages = Messages
incident-in-explorer = Show in Explorer
incident-actions = Actions
incident-line = Timeline entry
incident-line-public = Show this entry to the public
incident-note = Add note
incident-replay = Start replay
incident-cancel = Cancel replay
incident-retry = Retry inconclusive
incident-reopen = Reopen
incident-resolve = Resolve
incident-own = Assign to me
incident-reach = Impact
incident-directions = Directions
incident-domains = Domains
incident-senders = Senders
incident-recipients = Recipients
incident-residual = Not restored
incident-residual-none = None.
incident-recipient = Recipient
incident-sender = Sender
incident-subject = Subject
incident-outcome = Outcome
incident-reason = Reason
incident-timeline = Timeline
incident-by = by { $actor }
incident-by-public = by { $actor }, public
incident-open = Open incident
incident-open-about = Open incident about { $detection } { $version }

## Choosing a language

language-title = Language

## The HTML of a message, in its frame

letter-title = Message
letter-no-html = This message has no HTML.

## Block similar messages

like-back = Back to the message
like-title = Block similar messages
like-nothing = This message has no picture, text or layout that is distinctive enough to be recognised, or it came before fingerprints were recorded.
like-past = Matches in past mail
like-compared = Messages compared, last { $days } days: { $compared }. Similar: { $alike }, of these delivered: { $delivered }.
like-compared-newest = Newest messages compared, last { $days } days: { $compared }. Similar: { $alike }, of these delivered: { $delivered }.
like-together = Pictures, text and layout are counted together.
like-delivered = Delivered messages; check them before you block:
like-hold = Hold messages with any of these
like-pictures = At least half of these pictures, two or more
like-part = Part { $part }
like-picture = { $pixels } pixels
like-picture-good = { $pixels } pixels; found in known-good mail, cannot be blocked
like-pictures-note = A single picture needs at least 40,000 pixels. Of more than six, the largest are used.
like-text = This text, with any names, numbers and links
like-text-this = Text of the message
like-known-good = found in known-good mail, cannot be blocked
like-layout = This layout, with any content
like-layout-this = Layout of the message
like-layout-note = Messages made from one template share their layout: check what was delivered.
like-domain = Recipient domain
like-domain-only = Only for this recipient domain
like-everyone = all
like-lasts = Valid for
like-block = Block

## Message

message-lasts-day = 1 day
message-lasts-week = 7 days
message-lasts-month = 30 days
message-lasts-quarter = 90 days
message-received = Received
message-sender = Envelope sender
message-recipients = Recipients
message-not-enforced = not enforced (observe mode)
message-direction = Direction
message-category = Category
message-message-id = Message-ID
message-network-id = Network message ID
message-actions = Actions
message-apply-to = Recipients to apply to
message-release = Release
message-deny = Deny
message-delete = Delete
message-false-positive = Report false positive
message-false-negative = Report false negative
message-lasts = Valid for
message-allow-sender = Allow sender
message-block-sender = Block sender
message-block-like = Block similar messages
message-copy-to = Internal address
message-copy = Send copy
message-verdict = Verdict
message-reason-for = for { $recipient }
message-no-findings = No detection hit this message.
message-counterfactuals = Verdict without each detection
message-today = Verdict by the current ruleset: { $category } { $disposition } ({ $basis }).
message-ruleset = Ruleset { $ruleset }, policy { $policy }
message-version = Version
message-effect = Effect
message-part = Part
message-part-at = { $part }, offset { $offset }
message-evidence = Evidence
message-previous = Previous version
message-previous-hit = hit
message-previous-missed = no hit
message-blame = Report a faulty detection
message-blame-text = The incident covers every message that this version held. They are replayed as soon as the verdict can change.
message-timeline = Timeline
message-event-by = by { $actor }
message-engines = Engines and authentication
message-engine = Engine
message-engine-data = Data version
message-outcome = Result
message-millis = Time (ms)
message-spf = SPF
message-dkim = DKIM
message-dmarc = DMARC
message-aligned = Aligned domain
message-first-contact = First contact
message-yes = yes
message-no = no
message-unknown = unknown
message-parts = Parts
message-number = No.
message-name = Name
message-type = Type
message-declared = Declared type
message-size = Size
message-sha256 = SHA-256
message-seen-before = Seen before
message-seen-never = not in clean mail
message-seen =
    in { $mails ->
        [one] { $mails } clean message
       *[other] { $mails } clean messages
    } from { $senders ->
        [one] { $senders } sender
       *[other] { $senders } senders
    } since { $since }
message-seen-bad = last reported as malicious { $at }
message-link-domains = Link domains
message-urls = URLs ({ $count })
message-ambiguities = Parsing ambiguities
message-similar = Similar messages
message-like-sender = Same sender
message-like-domain = Same sender domain
message-like-subject = Same subject, including replies and forwards
message-like-hit = Hit by the same version of { $detection }
message-like-part = Same part { $number } ({ $family })
message-like-named-part = Same part { $name }
message-content = Content
message-content-logged = Viewing the content is recorded in the audit log.
message-show-text = Text
message-show-page = Safe HTML preview
message-show-pictures = Safe image preview
message-zip-password = Password of the ZIP file
message-download = Download message
message-back = Back to the message
message-headers = Headers
message-no-text = This message has no plain text.
message-page-text = Safe preview: scripts, forms, links and external content are removed, embedded images are re-encoded. Nothing is loaded.
message-page-title = Safe preview of the message
message-pictures-text = Safe preview: each image was decoded and re-encoded in an isolated process. Nothing of the original files is shown.
message-no-pictures = This message has no images.
message-picture = Part { $part }
message-picture-named = Part { $part }: { $name }
message-picture-none = No preview: { $why }

## Overview

overview-deliveries = Deliveries, 24 h
overview-delivered = Delivered
overview-held = Held
overview-released = Released
overview-incidents = Open incidents
overview-contained = Contained detections
overview-tracked = Tracked queries, 24 h
overview-flow = Mail flow, last 24 hours
overview-actions = Action required
overview-calm = No action required.
overview-requests =
    { $count ->
        [one] { $count } recipient asks for held mail
       *[other] { $count } recipients ask for held mail
    }
overview-requests-open = Decide
overview-jobs =
    { $count ->
        [one] { $count } job waits for the approval of a second person
       *[other] { $count } jobs wait for the approval of a second person
    }
overview-jobs-open = Jobs
overview-wish = { $actor } asks for { $what } of { $object }
overview-wish-until = It is done when a second person asks for the same before { $until }.
overview-alert-seen = Acknowledge
overview-alert-contain = Contain for 24 h
overview-alert-off = Disable for 24 h
overview-alert-confirm = The detection is right: pin it
overview-progress = Taken back
overview-progress-of = { $over } of { $units } deliveries are done; { $restored } restored
overview-gateway = Gateway
overview-ledger-good =
    { $accepted ->
        [one] Ledger consistent: { $accepted } delivery, in exactly one account; checked { $at }
       *[other] Ledger consistent: { $accepted } deliveries, each in exactly one account; checked { $at }
    }
overview-ledger-bad = Ledger inconsistent; checked { $at }
overview-ledger-none = The ledger has not been checked yet
overview-engines-good = Engines answer
overview-engines-bad = Engines that failed with the last messages: { $names }
overview-tasks-good = Background tasks healthy
overview-tasks-bad = Background tasks in trouble: { $names }
overview-sentinel-acts = A detection that known-good mail shows to be faulty is contained automatically.
overview-sentinel-calls = Alerts only: nothing is contained automatically.
overview-sentinel-more = Details

## People

people-admin = Administrator
people-analyst = Analyst
people-auditor = Auditor
people-invited = Give this link to { $name }. It works once, until { $until } UTC, and is not shown again:
people-invited-where = Put the address of this console in front of it.
people-invite = Invite person
people-name = Name
people-role = Role
people-only-domains = Only for these domains
people-all-domains = all
people-invite-button = Invite
people-domains = Domains
people-sign-in = Sign-in
people-added = Added (UTC)
people-added-by = by { $name }
people-last-admin = the last administrator: add another one first
people-password-and-codes = password and one-time codes
people-password = password
people-is-invited = invited
people-disable-me = Disable yourself
people-disable = Disable

## One's own account

me-codes = One-time codes
me-codes-on = enabled
me-codes-off = disabled
me-codes-secret = Add this secret to your authenticator app (time-based, 6 digits, SHA-1), then enter a code from it:
me-codes-use = Enable one-time codes
me-codes-stop = Disable one-time codes
me-code = Code
me-code-wrong = This code is not valid. Check the clock of your device.
me-sessions = Sessions
me-session-began = Started (UTC)
me-session-used = Last used
me-session-client = Client
me-session-this = this session
me-session-end = Sign out

## Policy

policy-intro = Version { $version }. The first rule that matches the category of a finding decides; mail that no rule matches is delivered. The policy is a file of the configuration: change it there.
policy-rule = Rule
policy-category = Category
policy-content = Content type
policy-direction = Direction
policy-recipients = Recipients
policy-disposition = Disposition
policy-access = Recipient permissions
policy-all = all
policy-failure = When an engine fails

## Requests

requests-text = Recipients request the release of messages that their quarantine policy does not let them release themselves. Oldest requests first.
requests-none = No pending requests.
requests-revoke = Revoke portal access
requests-revoke-text = Ends all portal links and sessions that a recipient has now. The recipient can request a new link.
requests-recipient = Recipient
requests-revoke-button = Revoke access
requests-asked = { $recipient } requested release { $at }; sender: { $sender }
requests-approve = Approve
requests-deny = Deny

## Rulesets

rulesets-intro = A version passes the gates, shadow mode, and 1, 10 and 50 % of conversations before it is in force. It is rolled back automatically when it hits known-good mail. { $command } publishes a version.
rulesets-none = No version has been published: the ruleset of the program, or of the configuration, is in force.
rulesets-rollouts = Rollouts
rulesets-versions = Versions
rulesets-rollout = Rollout { $number }: { $ruleset }
rulesets-published = Published by { $by }, { $at }
rulesets-take-back = Roll back
rulesets-gate = Gate
rulesets-gate-result = Result
rulesets-more = { $count } more
rulesets-number = No.
rulesets-ruleset = Ruleset
rulesets-since = Since (UTC)
rulesets-by = By
rulesets-first-seen = First seen (UTC)
rulesets-in-force-since = In force since (UTC)

## Sentinel

sentinel-acts = A detection that known-good mail shows to be faulty is contained automatically, its incident is opened, and what it held is replayed.
sentinel-weak = There are not enough known-good samples yet: alerts only, nothing is contained automatically.
sentinel-memory = Known-good memory
sentinel-samples = Known-good samples
sentinel-samples-of = { $eligible } of { $strong } that are enough
sentinel-senders = Known senders
sentinel-senders-of = { $established } established of { $known }, { $internal } internal
sentinel-contained = Contained detections
sentinel-contained-none = No detection is contained.
sentinel-release = End containment
sentinel-probation = Probation
sentinel-probation-text = A version that was forced past a gate and hits known-good mail delays mail of known senders. What is let out may be a missed threat.
sentinel-probation-since = on probation since { $since }
sentinel-probation-over = on probation no more
sentinel-probation-counts = Messages delayed: { $delayed }, { $waiting } of them waiting, { $kept } kept, { $let_out } let out ({ $most } at most), { $settled } decided otherwise
sentinel-pinned = Pinned
sentinel-pinned-text = Pinned detections are never contained automatically; the same evidence raises an alert.
sentinel-suspects = Evidence against detections
sentinel-suspects-text = A detection counts as faulty above an evidence value of 10000 (1000 on the first day of a version). Only samples that known senders sent before the version came count.
sentinel-suspects-none = There is no evidence against any detection.
sentinel-evidence = Evidence
sentinel-live = Live
sentinel-probe = Probe
sentinel-hits = Hits
sentinel-known-senders = Known senders
sentinel-sources = Sources

## Signing in

sign-in-nobody = Nobody can sign in yet. Run { $command } on the gateway host to get a link.
sign-in-elsewhere = Sign in with { $issuer }
sign-in-name = Name
sign-in-password = Password
sign-in-code = One-time code, if enabled
sign-in-refused = Name, password or code is incorrect.
sign-in-over = Your session has ended: nothing was done. Sign in again.
signed-in-title = Signed in
signed-in-welcome = Welcome, { $name }
signed-in-go = Continue

## An invitation

welcome-title = Welcome
welcome-text = Choose a password of at least { $min } characters. A sentence is easier to remember than special characters.
welcome-invitation = Invitation
welcome-name = You sign in with this name: { $name }
welcome-name-unknown = not known yet
welcome-name-none = not known: this invitation is not valid
welcome-again = Repeat password
welcome-set = Set password
welcome-show-name = Show name
welcome-refused = This invitation is not valid: it was already used or has expired. Ask for a new one.
welcome-length = The password must have { $min } to { $max } characters.
welcome-differs = The two passwords differ.

## States in progress

state-reload = (reload the page for the result)

## Reports

submission-text = When three people report a detection as a false positive within 24 hours, it is tested on known-good mail and an alert is raised. Reports alone never contain a detection.
submission-none = No reports.
submission-older = Older
submission-number = No.
submission-time = Time (UTC)
submission-kind = Type
submission-reporter = Reported by
submission-message = Message
submission-incident = Incident
submission-comment = Comment
submission-open = Open message
submission-false-positive = False positive
submission-false-negative = False negative
submission-title = Report { $number }: { $kind }
submission-all = All reports
submission-others = Other reports on this message
submission-nothing = none
submission-not-yet = not yet
submission-at = Reported
submission-acknowledged = Receipt confirmed
submission-ended = Outcome sent
submission-message-gone = The record of this message has been removed: its retention period is over.
submission-sender = from { $sender }
submission-verdict = Recorded verdict: { $category }.
submission-detections = Detections concerned
submission-no-detection = No detection acted on this message.
submission-people = People, 24 h
submission-messages = Messages, 30 days
submission-detections-text = When this many people report a version within 24 hours, it is tested on known-good mail and an alert is raised. Messages are those that were reported as false positives or cleared by an incident, for all versions of the detection.
submission-evidence = Evidence for the author of the detection
submission-evidence-text = The hits, and how well known the content is from good mail; without addresses, names or text of the message. The download is recorded in the audit log.
submission-evidence-download = Download evidence

## A form that comes back

typed-wrong = { $what }: { $why }.
typed-kept = Your input is kept { $form }.
typed-form = in the form

## Words of the service: categories, dispositions, states

word-Clean = Clean
word-Bulk = Bulk
word-Unscannable = Unscannable
word-Spam = Spam
word-Spoof = Spoof
word-PolicyRule = Policy rule
word-FileTypeBlock = Blocked file type
word-Phish = Phish
word-HighConfidencePhish = High confidence phish
word-Malware = Malware
word-Fact = Fact
word-Weak = Weak
word-Hold = Hold
word-Block = Block
word-Deliver = Deliver
word-Tag = Tag
word-Junk = Junk
word-Redirect = Redirect
word-Defer = Defer
word-Reject = Reject
word-AdminOnlyAccess = Administrators only
word-LimitedAccess = Limited access
word-FullAccess = Full access
word-Inbound = Inbound
word-Outbound = Outbound
word-Internal = Internal
word-NotReleased = Not released
word-PreparingToRelease = Preparing to release
word-Error = Error
word-Released = Released
word-Denied = Denied
word-Gone = Gone
word-Enforce = Enforce
word-Shadow = Shadow
word-Off = Off
word-Observe = Observe
word-forwarding = forwarding
word-delivered = delivered
word-tentative = tentative
word-held = held
word-releasing = releasing
word-in-doubt = in doubt
word-in-doubt-live = in doubt (passed on)
word-released = released
word-refused = refused
word-failed = failed
word-denied = denied
word-deleted = deleted
word-expired = expired
word-investigating = investigating
word-contained = contained
word-replaying = replaying
word-resolved = resolved
word-pending = pending
word-cleared = cleared
word-upheld = upheld
word-inconclusive = inconclusive
word-settled = decided otherwise
word-asked = asked
word-checking = checking
word-shadow = shadow
word-canary-1 = canary 1 %
word-canary-10 = canary 10 %
word-canary-50 = canary 50 %
word-live = live
word-rolled-back = rolled back
word-superseded = superseded
word-static = static
word-look-alike = look-alike
word-backtest = backtest
word-pardon = known-good passes
word-probation = probation
word-delay = delay
word-suspect = suspect
word-recommend = alerts only
word-forced = forced
word-paused = paused
word-fast-lane = fast lane
word-disabled = disabled
word-waiting = waiting
word-running = running
word-done = done
word-cancelled = cancelled
word-open = open
word-closed = closed
word-ok = ok
word-failing = failing
word-late = late
word-passed = passed
word-none = none
word-unknown = unknown
word-queued = queued
word-claimed = claimed
word-attempting = attempting
word-deferred = deferred
word-under-way = under way
word-in-force = in force
word-unchanged = unchanged
word-weak = weak
word-strong = strong
word-arrived = arrived
word-hop-accepted = accepted by the next hop
word-hop-refused = refused by the next hop
word-answer-lost = answer lost
word-confirmed = confirmed
word-lapsed = lapsed
word-reexamined = re-examined
word-release-requested = release requested
word-release-accepted = release accepted
word-release-unanswered = release unanswered
word-release-repeated = release repeated
word-release-refused = release refused
word-recovered = recovered
word-Done = Done
word-Timeout = Timeout
word-Skipped = Skipped
word-opened = opened
word-note = note
word-resumed = resumed
word-hit = hit
word-probed = probed
word-moved = state changed
word-waited = waited
word-content = content
word-message = message
word-continue = continue
word-defer = defer
word-hold = hold
word-text = text
word-html = HTML
word-image = image
word-archive = archive
word-executable = program
word-script = script
word-office = Office document
word-pdf = PDF
word-media = media
word-mail = message
word-other = other
