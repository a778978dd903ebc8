# tag: de
#
# Was die Konsole sagt, auf Deutsch. Welche Meldungen es gibt, sagt en.ftl.

language-name = Deutsch

## The frame of all pages

nav-label = Hauptnavigation
nav-menu = Menü
nav-skip = Zum Inhalt
nav-sign-out = Abmelden
nav-mail = E-Mail
nav-overview = Übersicht
nav-explorer = Explorer
nav-quarantine = Quarantäne
nav-requests = Anfragen
nav-reports = Meldungen
nav-detection = Erkennung
nav-incidents = Vorfälle
nav-sentinel = Sentinel
nav-detections = Erkennungen
nav-rulesets = Regelwerke
nav-policies = Richtlinien
nav-policy = Richtlinie
nav-lists = Listen
nav-administration = Verwaltung
nav-health = Zustand
nav-audit = Audit-Protokoll
nav-holds = Aufbewahrungssperren
nav-people = Personen

## What several pages say

reason-for-record = Grund, fürs Protokoll
since-by = seit { $since } durch { $by }
newest-part = (der neueste Teil: es ist zu viel, um alles auf einmal zu zählen)
deliveries =
    { $count ->
        [one] { $count } Zustellung
       *[other] { $count } Zustellungen
    }
no-subject = (kein Betreff)
null-sender = leerer Absender
count-of = { $count } von { $all }
detection = Erkennung
state = Status

## What is wrong

fault-bad = Ungültige Anfrage
fault-bad-hint = Gehen Sie zurück und ändern Sie es.
fault-query = Diese Abfrage ist nicht lesbar
fault-unauthorized = Melden Sie sich zuerst an
fault-forbidden = Dazu sind Sie nicht berechtigt
fault-forbidden-hint = Eine Administratorin oder ein Administrator kann es, oder kann Ihre Rolle ändern.
fault-not-found = Nicht gefunden
fault-not-found-hint = Vielleicht wurde es nach Ablauf seiner Frist entfernt.
fault-conflict = Das geht jetzt nicht
fault-conflict-hint = Vielleicht war jemand anders schneller: Sehen Sie es sich noch einmal an.
fault-too-many = Zu viele Anfragen
fault-too-many-text = Versuchen Sie es in { $seconds } s noch einmal.
fault-unavailable = Der Speicher ist nicht erreichbar
fault-unavailable-hint = E-Mail wird behandelt, wie es die Konfiguration sagt; siehe Log.
fault-internal = Hier ist etwas fehlgeschlagen
fault-internal-text = Das Log des Programms sagt, was.
fault-sign-in = Anmelden
fault-typed = Was Sie eingegeben hatten

## Audit log

audit-verify = Integrität prüfen
audit-checkpoint = Signierter Prüfpunkt
audit-number = Nr.
audit-time = Zeit (UTC)
audit-actor = Akteur
audit-action = Aktion
audit-object = Objekt
audit-reason = Grund
audit-newest = Neueste
audit-older = Ältere
audit-intact = Unversehrt. Geprüft: Einträge { $entries }, Gruppen-Commits { $commits }, Bewertungen { $verdicts }. Wurzel: { $root }
audit-broken = Nicht unversehrt

## Jobs over all matching messages

bulk-about = Aktionen auf alle Nachrichten, die eine Abfrage trifft. Gestartet werden sie im Explorer.
bulk-none = Keine Aufträge.
bulk-number = Nr.
bulk-started = Gestartet (UTC)
bulk-action = Aktion
bulk-by = Gestartet von
bulk-units = Zustellungen
bulk-reason = Grund
bulk-job = Auftrag { $number }: { $action }
bulk-deliveries-or-more =
    { $count ->
        [one] Mindestens { $count } Zustellung
       *[other] Mindestens { $count } Zustellungen
    }
bulk-deliveries-so-far =
    { $count ->
        [one] { $count } Zustellung bisher
       *[other] { $count } Zustellungen bisher
    }
bulk-question =
    { $verb ->
        [release] { $deliveries } freigeben?
        [deny] { $deliveries } ablehnen?
       *[delete] { $deliveries } löschen?
    }
bulk-scope = Betrifft alles, was { $query } jetzt trifft, nicht E-Mail, die später eingeht. Wo es nicht möglich ist, nennt das Ergebnis den Grund.
bulk-harmful =
    { $count ->
        [one] Davon wurde { $number } als Malware oder Phishing (hohe Konfidenz) zurückgehalten.
       *[other] Davon wurden { $number } als Malware oder Phishing (hohe Konfidenz) zurückgehalten.
    }
bulk-start =
    { $verb ->
        [release] Alle freigeben
        [deny] Alle ablehnen
       *[delete] Alle löschen
    }
bulk-second-approval = Vor dem Start ist eine zweite Zustimmung nötig: { $why }.
bulk-sample = Neueste Zustellungen
bulk-waiting = Wartet auf die Zustimmung einer anderen Person als { $actor }.
bulk-approve = Zustimmen
bulk-cancel = Auftrag abbrechen
bulk-outcome = Ergebnis
bulk-outcome-pending = steht aus
bulk-outcome-done = erledigt
bulk-outcome-already = war schon erledigt
bulk-outcome-refused = nicht möglich
bulk-results = Ergebnisse
bulk-results-of = Ergebnisse: { $outcome }
bulk-results-all = Alle Ergebnisse
bulk-results-more = Weitere Ergebnisse

## Bypassed messages

bypassed-title = Ungeprüfte Nachrichten
bypassed-none = Keine Nachricht hat das Gateway ungeprüft passiert, während der Notschalter auf Umgehung stand.
bypassed-since = Umgehung seit (UTC)
bypassed-first = Erste Nachricht (UTC)
bypassed-last = Letzte Nachricht (UTC)
bypassed-messages = Nachrichten
bypassed-received = Empfangen (UTC)
bypassed-client = Client-IP
bypassed-reply = SMTP-Antwort
bypassed-more = und { $count } weitere

## Charts

chart-delivered = zugestellt
chart-held = zurückgehalten
chart-moving = in Bearbeitung
chart-ended = nicht zugestellt
chart-refused = abgewiesen
chart-label =
    { $count ->
        [one] { $count } Zustellung
       *[other] { $count } Zustellungen
    } in { $intervals } Abschnitten von { $minutes } min, höchstens { $most } in einem
chart-column = { $at }: { $layers }
chart-column-empty = { $at }: keine Zustellungen
chart-layer = { $count } { $name }
chart-none = Keine

## Confirmation before harmful mail is released

confirm-title = Schädliche E-Mail freigeben?
confirm-why = Sie wurde als Malware oder Phishing (hohe Konfidenz) zurückgehalten.
confirm-no-recall = Zugestellte E-Mail lässt sich nicht zurückholen.
confirm-reason-missing = Geben Sie einen Grund an; er wird protokolliert.
confirm-others =
    { $count ->
        [one] Mit freigegeben wird { $count } weitere ausgewählte Zustellung anderer Kategorie.
       *[other] Mit freigegeben werden { $count } weitere ausgewählte Zustellungen anderer Kategorien.
    }
confirm-release = Für { $count } Empfänger freigeben
confirm-from = Von { $sender }, empfangen { $received }
confirm-to = An { $recipients }

## Detections

detections-in-force =
    { $count ->
        [one] { $count } Erkennung ist in Kraft.
       *[other] { $count } Erkennungen sind in Kraft.
    }
detections-legend = Treffer: Nachrichten der letzten 7 Tage, in denen die Erkennung etwas fand. Wirksame Treffer: solche, die sie zurückhalten oder sperren konnte; was zurückgehalten wurde, entschied die Richtlinie, und was es jetzt noch ist, findet { $query } im Explorer. Als falsch positiv gemeldet: Nachrichten, die gemeldet oder durch einen Vorfall entlastet wurden.
detections-category = Kategorie
detections-effect = Wirkung
detections-mode = Modus
detections-hits = Treffer
detections-acted = Wirksame Treffer
detections-wrong = Als falsch positiv gemeldet
detections-outside = Externe Engine, oder nicht mehr in Kraft
detections-mode-until = { $mode } bis { $until }
detections-not-in-force = Nicht im geltenden Regelwerk: Sie gehört zu einer externen Engine oder wurde zurückgezogen.
detections-contain = Eindämmen
detections-version = Version
detections-target = Ziel
detections-scope = Bezug
detections-owner = Zuständig
detections-outcome = Verbleib der Treffer, letzte 7 Tage
detections-held = { $count } zurückgehalten
detections-held-means = Eine Zustellung ist eine Nachricht an einen Empfänger. Zurückgehalten ist, was jetzt in der Quarantäne liegt und auf eine Entscheidung wartet, wie { $query } es findet; nicht, was seither freigegeben, abgelehnt oder gelöscht wurde.
detections-precision = Beobachtete Präzision
detections-precision-of = mindestens { $least } mit 95 % Konfidenz: { $wrong } von { $acted } wirksamen Treffern in { $days } Tagen wurden als falsch positiv gemeldet oder durch einen Vorfall entlastet; eine Freigabe allein zählt nicht
detections-precision-none = keine wirksamen Treffer in { $days } Tagen
detections-good = Falsch-positiv-Rate
detections-good-most = höchstens { $most }
detections-good-of = Treffer in { $hits } von { $seen } bekannt guten Proben beim letzten Testlauf
detections-good-none = noch nicht an bekannt guten Proben getestet
detections-cost = Prüfzeit
detections-cost-of = { $ms } ms je MiB
detections-cost-none = keine eigene: Alle Prüfungen teilen sich einen Durchgang durch die Nachricht
detections-documentation = Dokumentation
detections-source = Quelltext
detections-fixtures = Testnachrichten
detections-fixtures-text = Ein Regelwerk wird nur gebaut, wenn die Erkennung die erste trifft und die zweite nicht.
detections-fixtures-hit = Muss getroffen werden
detections-fixtures-miss = Darf nicht getroffen werden
detections-history = Versionsverlauf
detections-since = seit { $since }
detections-changes = Änderungen
detections-hours = Stunden
detections-watch = Nur beobachten
detections-disable = Abschalten
detections-enforce = Durchsetzen
detections-days = Tage
detections-try = Probelauf mit gespeicherter E-Mail
detections-tried =
    { $days ->
        [one] Probelauf von { $code }: letzter Tag
       *[other] Probelauf von { $code }: letzte { $days } Tage
    }
detections-tried-text = Version { $version } wurde an gespeicherter E-Mail getestet. Von zugestellter E-Mail wird nur bekannt gute gespeichert, und nicht alle. Nichts wurde geändert.
detections-tried-no-act = Ihre Wirkung hält keine E-Mail zurück: Treffer werden nur aufgezeichnet.
detections-tried-held = Nachrichten, die in Quarantäne sind oder waren
detections-tried-delivered = Zugestellte Nachrichten, als bekannt gut gespeichert
detections-tried-contents = Inhalte zugestellter Nachrichten, als bekannt gut gespeichert
detections-tried-back = Zurück zur Erkennung
detections-would-hold = { $hits } von { $all } wären zurückgehalten worden.
detections-would-find = { $hits } von { $all } wären getroffen worden.
detections-tried-newest = Nur die neuesten wurden geprüft.
detections-tried-unreadable =
    { $count ->
        [one] { $count } ließ sich nicht prüfen.
       *[other] { $count } ließen sich nicht prüfen.
    }
detections-heard = Belege von Sentinel
detections-heard-of = Belege { $evidence } (Treffer: { $hits }, Quellen: { $sources }, Testlauf: { $probe_hits } von { $probe_seen })

## Lists

entries-title = Zulassungs- und Sperrlisten
entries-none = Die Listen haben keine Einträge.
entries-action = Aktion
entries-value = Wert
entries-reach = Gilt für
entries-reason = Grund
entries-owner = Angelegt von
entries-until = Läuft ab (UTC)
entries-last-used = Letzter Treffer
entries-never = nie
entries-allow = Zulassen
entries-block = Sperren
entries-sender = Absender
entries-domain = Domain
entries-url = URL
entries-file = Datei
entries-ip = IP-Adresse
entries-picture = Bild
entries-text = Text
entries-layout = Layout
entries-everyone = Alle Empfänger
entries-for-domain = Domain { $domain }
entries-for-recipient = Empfänger { $recipient }
entries-malware = auch bei Malware
entries-cause = wegen einer Nachricht
entries-remove = Entfernen
entries-add = Eintrag hinzufügen
entries-kind = Typ
entries-our-domain = Für Empfänger dieser Domain
entries-only-domain = Nur für Empfänger dieser Domain
entries-all-domains = alle
entries-hours = Gültig (Stunden)

## Explorer

explorer-query = Abfrage
explorer-search = Suchen
explorer-cancel = Abbrechen
explorer-offer-day = Letzte 24 Stunden
explorer-offer-held = Zurückgehalten
explorer-offer-malware = Malware
explorer-offer-phishing = Phishing
explorer-offer-outbound = Ausgehend zurückgehalten
explorer-offer-in-doubt = Zustellung ungewiss
explorer-offer-macros = Dokumente mit Makros
explorer-offer-large = Ab 10 MB
explorer-totals = Summen
explorer-found =
    { $count ->
        [one] { $number } Zustellung
       *[other] { $number } Zustellungen
    }
explorer-so-far = Zustellungen bisher
explorer-newest-shown = Zustellungen; Diagramm und Gruppen zeigen die neuesten
explorer-hours = Letzte 48 Stunden
explorer-days = Letzte 30 Tage
explorer-saved = Gespeichert als { $name }
explorer-save-query = Abfrage speichern
explorer-name = Name
explorer-tracked = In der Übersicht anzeigen
explorer-save = Speichern
explorer-forget = Gespeicherte Abfrage löschen
explorer-group-by = Gruppieren nach
explorer-version = Version der Erkennung
explorer-sender-domain = Absenderdomain
explorer-url-host = URL-Host
explorer-content-type = Inhaltstyp
explorer-client = Client-IP
explorer-others =
    { $count ->
        [one] { $count } weiterer Wert ist nicht aufgeführt.
       *[other] { $count } weitere Werte sind nicht aufgeführt.
    }
explorer-counted-since = Gezählt sind Nachrichten seit { $since }; die Zeitgrenze war erreicht.
explorer-counted = Gezählt sind alle Treffer.
explorer-select-all = Alle auf dieser Seite auswählen
explorer-select = { $subject } auswählen
explorer-none = Keine Treffer.
explorer-none-so-far = Bisher keine Treffer; die Zeitgrenze war erreicht.
explorer-newest = Neueste
explorer-older = Ältere
explorer-search-older = Ältere Nachrichten durchsuchen
explorer-selected = Ausgewählte Nachrichten
explorer-release = Freigeben
explorer-deny = Ablehnen
explorer-delete = Löschen
explorer-all-matching = Alle Treffer
explorer-jobs = Aufträge
explorer-received = Empfangen (UTC)
explorer-direction = Richtung
explorer-sender = Absender
explorer-recipient = Empfänger
explorer-subject = Betreff
explorer-category = Kategorie
explorer-disposition = Maßnahme
explorer-size = Größe
explorer-message-id = Message-ID
explorer-mail-id = Netzwerk-Nachrichten-ID
explorer-observed = nicht durchgesetzt
explorer-observed-why = Beobachtungsmodus: Die Bewertung wurde aufgezeichnet, nicht durchgesetzt
explorer-columns = Spalten
explorer-columns-apply = Übernehmen
explorer-not-done = nicht ausgeführt
explorer-result = Ergebnis
explorer-acted = { $action }: { $count } ausgewählt
explorer-message = Nachricht
explorer-back = Zurück zur Liste
explorer-too-often = Zu viele Anfragen: Versuchen Sie es in { $seconds } s noch einmal

## Health

health-interfaces = Schnittstellen
health-metrics = Prometheus-Metriken
health-api = API-Beschreibung (OpenAPI)
health-readiness = Bereitschaft
health-versions = Versionen der Engines
health-engine = Engine
health-version = Version
health-data-version = Datenstand
health-first-seen = Zuerst gesehen (UTC)
health-ago = vor { $span }
health-ledger = Hauptbuch
health-ledger-checked = Geprüft: { $at }; Dauer { $took } ms. Neuere E-Mail ist nicht enthalten.
health-ledger-now = Soeben geprüft: { $at } UTC.
health-ledger-check = Jetzt prüfen
health-ledger-good =
    { $accepted ->
        [one] Hauptbuch stimmig: { $accepted } Zustellung, auf genau einem Konto
       *[other] Hauptbuch stimmig: { $accepted } Zustellungen, jede auf genau einem Konto
    }
health-ledger-bad = Hauptbuch nicht stimmig
health-ledger-unconfirmed =
    { $count ->
        [one] { $count } Zustellung ist unbestätigt: weitergeleitet ohne aufgezeichnete Antwort, oder abgewiesen.
       *[other] { $count } Zustellungen sind unbestätigt: weitergeleitet ohne aufgezeichnete Antwort, oder abgewiesen.
    }
health-tasks = Hintergrundaufgaben
health-tasks-text = Eine Aufgabe kann jederzeit unterbrochen werden und macht dort weiter, wo sie war. Ist sie fehlgeschlagen, wird sie beim nächsten Lauf wiederholt.
health-task = Aufgabe
health-last-run = Letzter Lauf (UTC)
health-took = Dauer
health-period = Läuft mindestens alle
health-last-error = Letzter Fehler
health-failing = Fehlerhafte Einträge
health-not-ended = noch nicht beendet
health-failing-of = Fehlerhafte Einträge von { $task }
health-failing-text = Jeder Eintrag wird nach einer Pause von bis zu zehn Minuten wiederholt; nichts anderes wartet darauf.
health-item = Eintrag
health-failures = Fehlversuche
health-next-try = Nächster Versuch (UTC)
health-error = Fehler
health-engines = Engines bei den letzten Nachrichten
health-asked = Geprüft
health-failed = Fehlgeschlagen
health-median = Zeit (Median)
health-disk = Speicherplatz
health-disk-full = Es wird keine E-Mail mehr angenommen (452): Das Volume ist voll
health-disk-text = { $free } frei auf dem Volume des Speichers; unter { $floor } wird keine E-Mail mehr angenommen. Größe der Datenbank: { $database }.
health-stored = Gespeicherte Daten
health-clock = Der Systemuhr wird nicht vertraut.
health-clock-text = Sie zeigt { $now }, aber: { $why }.
health-damaged =
    { $count ->
        [one] { $count } gespeicherter Blob ist beschädigt
       *[other] { $count } gespeicherte Blobs sind beschädigt
    }
health-damage = Nachricht { $message }: { $why }
health-scrub-last = Letzte vollständige Integritätsprüfung der gespeicherten Daten: { $at }, { $blobs } Blobs, { $size }.
health-scrub-first = Die erste Integritätsprüfung der gespeicherten Daten ist noch nicht beendet.
health-scrub-now = Die laufende Prüfung (begonnen { $began }) hat { $blobs } Blobs gelesen, { $size }.
health-scrub-late = Sie dauert länger als erlaubt: Erhöhen Sie { $setting }.
health-holds =
    { $count ->
        [one] { $count } Aufbewahrungssperre schützt E-Mail vor Ablauf und Löschung (Nachrichten: { $messages }, Größe: { $size }).
       *[other] { $count } Aufbewahrungssperren schützen E-Mail vor Ablauf und Löschung (Nachrichten: { $messages }, Größe: { $size }).
    }
health-holds-counting = Die Suche nach ihren Nachrichten läuft noch.

## Settings

health-reload = Konfiguration
health-reload-text =
    { $count ->
        [one] Neuladen zuletzt angefordert { $at } (UTC) von { $by }: { $count } abweichende Einstellung.
       *[other] Neuladen zuletzt angefordert { $at } (UTC) von { $by }: { $count } abweichende Einstellungen.
    }
health-reload-fault = Was in { $file } steht, ist nicht in Kraft:
settings-title = Geltende Einstellungen
settings-text = Die Einstellungen, wie das Programm sie aus seiner Datei gelesen hat, mit den Vorgaben. Geändert werden sie dort, und { $reload } setzt sie in Kraft; { $check } sagt, was an einer Datei falsch ist. Richtlinie, Regelwerke, Einträge, Personen und Tokens haben eigene Seiten.
settings-general = Allgemein
settings-test = Benachrichtigungen testen
settings-test-text = Eine als Test gekennzeichnete Benachrichtigung geht an alle Webhooks und Postfächer aus { $section } und, wenn Sie einen angeben, an einen Ihrer Empfänger. Sonst ändert sich nichts.
settings-test-recipient = Auch an diesen Empfänger
settings-test-nobody = keiner
settings-test-send = Test senden
settings-test-none = Niemand wurde benachrichtigt: Es ist kein Webhook und kein Postfach konfiguriert.
settings-for = Zielgruppe
settings-to = Gesendet an
settings-accepted = Angenommen
settings-by = Antwort von
settings-answer = Antwort
settings-operators = Administratoren
settings-public = Öffentlichkeit
settings-recipient = Empfänger

## Legal holds

hold-text = Nachrichten unter Aufbewahrungssperre laufen nicht ab und können nicht gelöscht werden, bis die Sperre aufgehoben ist; auch ihre Datensätze und Audit-Einträge bleiben erhalten. Neue E-Mail, auf die sie zutrifft, ist eingeschlossen. Freigeben bleibt möglich.
hold-none = Keine Aufbewahrungssperren.
hold-number = Nr.
hold-scope = Umfang
hold-messages = Nachrichten
hold-reason = Grund
hold-by = Gesetzt durch
hold-since = Seit (UTC)
hold-show-active = Nur aktive Sperren
hold-show-lifted = Aufgehobene Sperren anzeigen
hold-new = Neue Aufbewahrungssperre
hold-what = Adresse, Abfrage oder Netzwerk-Nachrichten-ID
hold-place = Sperre setzen
hold-kind-mail = Nachricht
hold-kind-query = Abfrage
hold-kind-person = Person
hold-lifted = aufgehoben { $at } durch { $by }: { $reason }
hold-lift = Sperre aufheben
hold-of-mail = Unter Aufbewahrungssperre
hold-of-mail-text = Diese Nachricht läuft nicht ab und kann nicht gelöscht werden, bis diese Sperren aufgehoben sind; freigeben lässt sie sich weiterhin.
hold-of-mail-one = Sperre { $number } ({ $kind }), gesetzt { $made } durch { $by }: { $reason }
hold-place-on = Unter Aufbewahrungssperre stellen

## Incidents

incident-intro = Ein Vorfall begleitet eine Erkennung, die fehlerhaft ist oder sein kann: Was sie zurückhielt, bleibt zurückgehalten und wird neu geprüft; gute E-Mail wird zugestellt. Die Öffentlichkeit sieht die { $page }.
incident-status-page = Statusseite
incident-none = Keine Vorfälle.
incident-incident = Vorfall
incident-stage = Phase
incident-opened = Eröffnet (UTC)
incident-deliveries = Zustellungen
incident-progress = Fortschritt
incident-replays = Neuprüfungen
incident-examined = Neu geprüft
incident-left = Restzeit
incident-why = Grund, für den Verlauf
incident-why-of = Grund zum Anhalten oder Fortsetzen von { $id }, für den Verlauf
incident-pause = Anhalten
incident-resume = Fortsetzen
incident-pending = Ausstehend
incident-cleared = Entlastet
incident-upheld = Bestätigt
incident-inconclusive = Unentschieden
incident-settled = Anders entschieden
incident-asked = Absender gefragt
incident-restored = Wiederhergestellt
incident-over = Erledigt
incident-percent = { $percent } % erledigt
incident-eta = noch etwa { $span }
incident-cause = Ursache
incident-in-force-since = In Kraft seit
incident-unknown = unbekannt
incident-began = Beginn
incident-unknown-yet = noch nicht bekannt
incident-public-text = Öffentlicher Text
incident-contained = Eingedämmt
incident-contained-not = nein
incident-owner = Zuständig
incident-owner-none = niemand
incident-manifest = Manifest
incident-manifest-of =
    { $waves ->
        [one] { $waves } Welle, Wurzel-Hash { $root }
       *[other] { $waves } Wellen, Wurzel-Hash { $root }
    }
incident-report = Bericht
incident-messages = Nachrichten
incident-in-explorer = Im Explorer anzeigen
incident-actions = Aktionen
incident-line = Eintrag im Verlauf
incident-line-public = Diesen Eintrag öffentlich zeigen
incident-note = Notiz hinzufügen
incident-replay = Neuprüfung starten
incident-cancel = Neuprüfung abbrechen
incident-retry = Unentschiedene erneut prüfen
incident-reopen = Wieder öffnen
incident-resolve = Als behoben abschließen
incident-own = Mir zuweisen
incident-reach = Auswirkungen
incident-directions = Richtungen
incident-domains = Domains
incident-senders = Absender
incident-recipients = Empfänger
incident-residual = Nicht wiederhergestellt
incident-residual-none = Keine.
incident-recipient = Empfänger
incident-sender = Absender
incident-subject = Betreff
incident-outcome = Ergebnis
incident-reason = Grund
incident-timeline = Verlauf
incident-by = von { $actor }
incident-by-public = von { $actor }, öffentlich
incident-open = Vorfall eröffnen
incident-open-about = Vorfall zu { $detection } { $version } eröffnen

## Choosing a language

language-title = Sprache

## The HTML of a message, in its frame

letter-title = Nachricht
letter-no-html = Diese Nachricht enthält kein HTML.

## Block similar messages

like-back = Zurück zur Nachricht
like-title = Ähnliche Nachrichten sperren
like-nothing = Diese Nachricht hat kein Bild, keinen Text und kein Layout, an dem sie sicher wiederzuerkennen wäre, oder sie kam, bevor Fingerabdrücke aufgezeichnet wurden.
like-past = Treffer in früherer E-Mail
like-compared = Verglichene Nachrichten der letzten { $days } Tage: { $compared }. Ähnlich: { $alike }, davon zugestellt: { $delivered }.
like-compared-newest = Neueste verglichene Nachrichten der letzten { $days } Tage: { $compared }. Ähnlich: { $alike }, davon zugestellt: { $delivered }.
like-together = Bilder, Text und Layout sind zusammen gezählt.
like-delivered = Zugestellte Nachrichten; prüfen Sie diese, bevor Sie sperren:
like-hold = Nachrichten zurückhalten, auf die eines zutrifft
like-pictures = Mindestens die Hälfte dieser Bilder, wenigstens zwei
like-part = Teil { $part }
like-picture = { $pixels } Pixel
like-picture-good = { $pixels } Pixel; kommt in bekannt guter E-Mail vor, kann nicht gesperrt werden
like-pictures-note = Ein einzelnes Bild braucht mindestens 40.000 Pixel. Von mehr als sechs werden die größten verwendet.
like-text = Dieser Text, mit beliebigen Namen, Zahlen und Links
like-text-this = Text der Nachricht
like-known-good = kommt in bekannt guter E-Mail vor, kann nicht gesperrt werden
like-layout = Dieses Layout, mit beliebigem Inhalt
like-layout-this = Layout der Nachricht
like-layout-note = Nachrichten aus derselben Vorlage haben dasselbe Layout: Prüfen Sie, was zugestellt wurde.
like-domain = Empfängerdomain
like-domain-only = Nur für diese Empfängerdomain
like-everyone = alle
like-lasts = Gültig für
like-block = Sperren

## Message

message-lasts-day = 1 Tag
message-lasts-week = 7 Tage
message-lasts-month = 30 Tage
message-lasts-quarter = 90 Tage
message-received = Empfangen
message-sender = Umschlagabsender
message-recipients = Empfänger
message-not-enforced = nicht durchgesetzt (Beobachtungsmodus)
message-direction = Richtung
message-category = Kategorie
message-message-id = Message-ID
message-network-id = Netzwerk-Nachrichten-ID
message-actions = Aktionen
message-apply-to = Gilt für diese Empfänger
message-release = Freigeben
message-deny = Ablehnen
message-delete = Löschen
message-false-positive = Als falsch positiv melden
message-false-negative = Als falsch negativ melden
message-lasts = Gültig für
message-allow-sender = Absender zulassen
message-block-sender = Absender sperren
message-block-like = Ähnliche Nachrichten sperren
message-copy-to = Interne Adresse
message-copy = Kopie senden
message-verdict = Bewertung
message-reason-for = für { $recipient }
message-no-findings = Keine Erkennung hat diese Nachricht getroffen.
message-counterfactuals = Bewertung ohne die jeweilige Erkennung
message-today = Bewertung nach dem aktuellen Regelwerk: { $category } { $disposition } ({ $basis }).
message-ruleset = Regelwerk { $ruleset }, Richtlinie { $policy }
message-version = Version
message-effect = Wirkung
message-part = Teil
message-part-at = { $part }, Offset { $offset }
message-evidence = Beleg
message-previous = Vorherige Version
message-previous-hit = Treffer
message-previous-missed = kein Treffer
message-blame = Fehlerhafte Erkennung melden
message-blame-text = Der Vorfall umfasst alle Nachrichten, die diese Version zurückgehalten hat. Sie werden neu geprüft, sobald sich die Bewertung ändern kann.
message-timeline = Verlauf
message-event-by = durch { $actor }
message-engines = Engines und Authentifizierung
message-engine = Engine
message-engine-data = Datenstand
message-outcome = Ergebnis
message-millis = Dauer (ms)
message-spf = SPF
message-dkim = DKIM
message-dmarc = DMARC
message-aligned = Domain mit Alignment
message-first-contact = Erstkontakt
message-yes = ja
message-no = nein
message-unknown = unbekannt
message-parts = Teile
message-number = Nr.
message-name = Name
message-type = Typ
message-declared = Angegebener Typ
message-size = Größe
message-sha256 = SHA-256
message-seen-before = Früher gesehen
message-seen-never = nicht in sauberer E-Mail
message-seen =
    in { $mails ->
        [one] { $mails } sauberer Nachricht
       *[other] { $mails } sauberen Nachrichten
    } von { $senders ->
        [one] { $senders } Absender
       *[other] { $senders } Absendern
    } seit { $since }
message-seen-bad = zuletzt als schädlich gemeldet { $at }
message-link-domains = Domains der Links
message-urls = URLs ({ $count })
message-ambiguities = Mehrdeutigkeiten beim Parsen
message-similar = Ähnliche Nachrichten
message-like-sender = Gleicher Absender
message-like-domain = Gleiche Absenderdomain
message-like-subject = Gleicher Betreff, auch Antworten und Weiterleitungen
message-like-hit = Treffer derselben Version von { $detection }
message-like-part = Gleicher Teil { $number } ({ $family })
message-like-named-part = Gleicher Teil { $name }
message-content = Inhalt
message-content-logged = Das Ansehen des Inhalts wird im Audit-Protokoll vermerkt.
message-show-text = Text
message-show-page = Sichere HTML-Vorschau
message-show-pictures = Sichere Bildvorschau
message-zip-password = Kennwort der ZIP-Datei
message-download = Nachricht herunterladen
message-back = Zurück zur Nachricht
message-headers = Header
message-no-text = Diese Nachricht enthält keinen Nur-Text-Teil.
message-page-text = Sichere Vorschau: Skripte, Formulare, Links und externe Inhalte sind entfernt, eingebettete Bilder neu kodiert. Es wird nichts nachgeladen.
message-page-title = Sichere Vorschau der Nachricht
message-pictures-text = Sichere Vorschau: Jedes Bild wurde in einem isolierten Prozess dekodiert und neu kodiert. Von den Originaldateien wird nichts angezeigt.
message-no-pictures = Diese Nachricht enthält keine Bilder.
message-picture = Teil { $part }
message-picture-named = Teil { $part }: { $name }
message-picture-none = Keine Vorschau: { $why }

## Overview

overview-deliveries = Zustellungen, 24 h
overview-delivered = Zugestellt
overview-held = Zurückgehalten
overview-released = Freigegeben
overview-incidents = Offene Vorfälle
overview-contained = Eingedämmte Erkennungen
overview-tracked = Beobachtete Abfragen, 24 h
overview-flow = Mailfluss der letzten 24 Stunden
overview-actions = Handlungsbedarf
overview-calm = Kein Handlungsbedarf.
overview-requests =
    { $count ->
        [one] { $count } Empfänger bittet um zurückgehaltene E-Mail
       *[other] { $count } Empfänger bitten um zurückgehaltene E-Mail
    }
overview-requests-open = Entscheiden
overview-jobs =
    { $count ->
        [one] { $count } Auftrag wartet auf die Zustimmung einer zweiten Person
       *[other] { $count } Aufträge warten auf die Zustimmung einer zweiten Person
    }
overview-jobs-open = Aufträge
overview-wish = { $actor } möchte { $what } von { $object }
overview-wish-until = Es geschieht, wenn eine zweite Person bis { $until } dasselbe verlangt.
overview-alert-seen = Zur Kenntnis nehmen
overview-alert-contain = Für 24 h eindämmen
overview-alert-off = Für 24 h abschalten
overview-alert-confirm = Die Erkennung hat recht: anheften
overview-progress = Zurückgenommen
overview-progress-of = { $over } von { $units } Zustellungen sind erledigt; { $restored } wiederhergestellt
overview-gateway = Gateway
overview-ledger-good =
    { $accepted ->
        [one] Hauptbuch stimmig: { $accepted } Zustellung, auf genau einem Konto; geprüft { $at }
       *[other] Hauptbuch stimmig: { $accepted } Zustellungen, jede auf genau einem Konto; geprüft { $at }
    }
overview-ledger-bad = Hauptbuch nicht stimmig; geprüft { $at }
overview-ledger-none = Das Hauptbuch wurde noch nicht geprüft
overview-engines-good = Alle Engines antworten
overview-engines-bad = Engines, die bei den letzten Nachrichten versagt haben: { $names }
overview-tasks-good = Hintergrundaufgaben laufen
overview-tasks-bad = Hintergrundaufgaben mit Problemen: { $names }
overview-sentinel-acts = Eine Erkennung, die nachweislich gute E-Mail trifft, wird automatisch eingedämmt.
overview-sentinel-calls = Nur Alarm: Nichts wird automatisch eingedämmt.
overview-sentinel-more = Einzelheiten

## People

people-admin = Administrator
people-analyst = Analyst
people-auditor = Auditor
people-invited = Geben Sie diesen Link an { $name }. Er gilt einmal, bis { $until } UTC, und wird nicht noch einmal angezeigt:
people-invited-where = Stellen Sie ihm die Adresse dieser Konsole voran.
people-invite = Person einladen
people-name = Name
people-role = Rolle
people-only-domains = Nur für diese Domains
people-all-domains = alle
people-invite-button = Einladen
people-domains = Domains
people-sign-in = Anmeldung
people-added = Hinzugefügt (UTC)
people-added-by = durch { $name }
people-last-admin = letzter Administrator: Fügen Sie zuerst einen weiteren hinzu
people-password-and-codes = Kennwort und Einmalcodes
people-password = Kennwort
people-is-invited = eingeladen
people-disable-me = Eigenes Konto deaktivieren
people-disable = Deaktivieren

## One's own account

me-codes = Einmalcodes
me-codes-on = aktiviert
me-codes-off = deaktiviert
me-codes-secret = Übernehmen Sie diesen geheimen Schlüssel in Ihre Authenticator-App (zeitbasiert, 6 Ziffern, SHA-1) und geben Sie dann einen Code daraus ein:
me-codes-use = Einmalcodes aktivieren
me-codes-stop = Einmalcodes deaktivieren
me-code = Code
me-code-wrong = Dieser Code ist nicht gültig. Prüfen Sie die Uhr Ihres Geräts.
me-sessions = Sitzungen
me-session-began = Begonnen (UTC)
me-session-used = Zuletzt benutzt
me-session-client = Client
me-session-this = diese Sitzung
me-session-end = Abmelden

## Policy

policy-intro = Version { $version }. Es entscheidet die erste Regel, die auf die Kategorie eines Befunds zutrifft; E-Mail, auf die keine Regel zutrifft, wird zugestellt. Die Richtlinie ist eine Datei der Konfiguration: Ändern Sie sie dort.
policy-rule = Regel
policy-category = Kategorie
policy-content = Inhaltstyp
policy-direction = Richtung
policy-recipients = Empfänger
policy-disposition = Maßnahme
policy-access = Rechte der Empfänger
policy-all = alle
policy-failure = Bei Ausfall einer Engine

## Requests

requests-text = Empfänger bitten um die Freigabe von Nachrichten, die sie nach ihrer Quarantänerichtlinie nicht selbst freigeben dürfen. Die ältesten Anfragen stehen zuerst.
requests-none = Keine offenen Anfragen.
requests-revoke = Portalzugang entziehen
requests-revoke-text = Beendet alle Portallinks und Sitzungen, die ein Empfänger jetzt hat. Er kann einen neuen Link anfordern.
requests-recipient = Empfänger
requests-revoke-button = Zugang entziehen
requests-asked = { $recipient } bat { $at } um Freigabe; Absender: { $sender }
requests-approve = Genehmigen
requests-deny = Ablehnen

## Rulesets

rulesets-intro = Eine Version durchläuft die Prüfungen, den Beobachtungsmodus und 1, 10 und 50 % der Konversationen, bevor sie in Kraft ist. Sie wird automatisch zurückgerollt, wenn sie bekannt gute E-Mail trifft. { $command } veröffentlicht eine Version.
rulesets-none = Es wurde noch keine Version veröffentlicht: Das Regelwerk des Programms oder der Konfiguration ist in Kraft.
rulesets-rollouts = Rollouts
rulesets-versions = Versionen
rulesets-rollout = Rollout { $number }: { $ruleset }
rulesets-published = Veröffentlicht von { $by }, { $at }
rulesets-take-back = Zurückrollen
rulesets-gate = Prüfung
rulesets-gate-result = Ergebnis
rulesets-more = { $count } weitere
rulesets-number = Nr.
rulesets-ruleset = Regelwerk
rulesets-since = Seit (UTC)
rulesets-by = Von
rulesets-first-seen = Zuerst gesehen (UTC)
rulesets-in-force-since = In Kraft seit (UTC)

## Sentinel

sentinel-acts = Eine Erkennung, die nachweislich gute E-Mail trifft, wird automatisch eingedämmt, ihr Vorfall eröffnet, und was sie zurückhielt, neu geprüft.
sentinel-weak = Es gibt noch zu wenige bekannt gute Proben: nur Alarm, nichts wird automatisch eingedämmt.
sentinel-memory = Gedächtnis für gute E-Mail
sentinel-samples = Bekannt gute Proben
sentinel-samples-of = { $eligible } von { $strong }, die genügen
sentinel-senders = Bekannte Absender
sentinel-senders-of = { $established } bewährt von { $known }, { $internal } interne
sentinel-contained = Eingedämmte Erkennungen
sentinel-contained-none = Keine Erkennung ist eingedämmt.
sentinel-release = Eindämmung beenden
sentinel-probation = Bewährung
sentinel-probation-text = Eine Version, die an einer Prüfung vorbei erzwungen wurde und bekannt gute E-Mail trifft, verzögert E-Mail bekannter Absender. Was durchgelassen wird, kann eine übersehene Bedrohung sein.
sentinel-probation-since = auf Bewährung seit { $since }
sentinel-probation-over = nicht mehr auf Bewährung
sentinel-probation-counts = Verzögerte Nachrichten: { $delayed }, davon warten { $waiting }, { $kept } bleiben, { $let_out } durchgelassen (höchstens { $most }), { $settled } anders entschieden
sentinel-pinned = Angeheftet
sentinel-pinned-text = Angeheftete Erkennungen werden nie automatisch eingedämmt; dieselben Belege lösen einen Alarm aus.
sentinel-suspects = Belege gegen Erkennungen
sentinel-suspects-text = Ab einem Belegwert von 10000 gilt eine Erkennung als fehlerhaft, am ersten Tag einer Version ab 1000. Es zählen nur Proben, die bekannte Absender schickten, bevor die Version kam.
sentinel-suspects-none = Gegen keine Erkennung liegen Belege vor.
sentinel-evidence = Belege
sentinel-live = Live
sentinel-probe = Testlauf
sentinel-hits = Treffer
sentinel-known-senders = Bekannte Absender
sentinel-sources = Quellen

## Signing in

sign-in-nobody = Noch kann sich niemand anmelden. Führen Sie auf dem Host des Gateways { $command } aus, um einen Link zu erhalten.
sign-in-elsewhere = Anmelden mit { $issuer }
sign-in-name = Name
sign-in-password = Kennwort
sign-in-code = Einmalcode, falls aktiviert
sign-in-refused = Name, Kennwort oder Code ist falsch.
sign-in-over = Ihre Sitzung ist beendet: Es wurde nichts ausgeführt. Melden Sie sich neu an.
signed-in-title = Angemeldet
signed-in-welcome = Willkommen, { $name }
signed-in-go = Weiter

## An invitation

welcome-title = Willkommen
welcome-text = Wählen Sie ein Kennwort mit mindestens { $min } Zeichen. Ein Satz ist leichter zu merken als Sonderzeichen.
welcome-invitation = Einladung
welcome-name = Sie melden sich mit diesem Namen an: { $name }
welcome-name-unknown = noch nicht bekannt
welcome-name-none = nicht bekannt: diese Einladung ist nicht gültig
welcome-again = Kennwort wiederholen
welcome-set = Kennwort festlegen
welcome-show-name = Namen anzeigen
welcome-refused = Diese Einladung ist nicht gültig: Sie wurde schon benutzt oder ist abgelaufen. Bitten Sie um eine neue.
welcome-length = Das Kennwort muss { $min } bis { $max } Zeichen haben.
welcome-differs = Die beiden Kennwörter stimmen nicht überein.

## States in progress

state-reload = (Seite neu laden für das Ergebnis)

## Reports

submission-text = Melden drei Personen eine Erkennung innerhalb von 24 Stunden als falsch positiv, wird sie an bekannt guter E-Mail geprüft und ein Alarm ausgelöst. Meldungen allein dämmen keine Erkennung ein.
submission-none = Keine Meldungen.
submission-older = Ältere
submission-number = Nr.
submission-time = Zeit (UTC)
submission-kind = Art
submission-reporter = Gemeldet von
submission-message = Nachricht
submission-incident = Vorfall
submission-comment = Kommentar
submission-open = Nachricht öffnen
submission-false-positive = Falsch positiv
submission-false-negative = Falsch negativ
submission-title = Meldung { $number }: { $kind }
submission-all = Alle Meldungen
submission-others = Weitere Meldungen zu dieser Nachricht
submission-nothing = keiner
submission-not-yet = noch nicht
submission-at = Gemeldet
submission-acknowledged = Eingang bestätigt
submission-ended = Ergebnis mitgeteilt
submission-message-gone = Der Datensatz dieser Nachricht wurde entfernt: Seine Aufbewahrungsfrist ist abgelaufen.
submission-sender = von { $sender }
submission-verdict = Gespeicherte Bewertung: { $category }.
submission-detections = Betroffene Erkennungen
submission-no-detection = Keine Erkennung hat sich auf diese Nachricht ausgewirkt.
submission-people = Personen, 24 h
submission-messages = Nachrichten, 30 Tage
submission-detections-text = Melden so viele Personen eine Version innerhalb von 24 Stunden, wird sie an bekannt guter E-Mail geprüft und ein Alarm ausgelöst. Gezählt sind Nachrichten, die als falsch positiv gemeldet oder durch einen Vorfall entlastet wurden, für alle Versionen der Erkennung.
submission-evidence = Belege für den Autor der Erkennung
submission-evidence-text = Die Treffer und wie gut der Inhalt aus guter E-Mail bekannt ist; ohne Adressen, Namen oder Text der Nachricht. Das Herunterladen wird im Audit-Protokoll vermerkt.
submission-evidence-download = Belege herunterladen

## A form that comes back

typed-wrong = { $what }: { $why }.
typed-kept = Ihre Eingaben stehen noch { $form }.
typed-form = im Formular

## Words of the service: categories, dispositions, states

word-Clean = Sauber
word-Bulk = Massenmail
word-Unscannable = Nicht prüfbar
word-Spam = Spam
word-Spoof = Gefälschter Absender
word-PolicyRule = Richtlinienregel
word-FileTypeBlock = Gesperrter Dateityp
word-Phish = Phishing
word-HighConfidencePhish = Phishing (hohe Konfidenz)
word-Malware = Malware
word-Fact = Tatsache
word-Weak = Schwach
word-Hold = Zurückhalten
word-Block = Sperren
word-Deliver = Zustellen
word-Tag = Kennzeichnen
word-Junk = Junk-Ordner
word-Redirect = Umleiten
word-Defer = Aufschieben
word-Reject = Abweisen
word-AdminOnlyAccess = Nur Administratoren
word-LimitedAccess = Eingeschränkter Zugriff
word-FullAccess = Voller Zugriff
word-Inbound = Eingehend
word-Outbound = Ausgehend
word-Internal = Intern
word-NotReleased = Nicht freigegeben
word-PreparingToRelease = Freigabe läuft
word-Error = Fehler
word-Released = Freigegeben
word-Denied = Abgelehnt
word-Gone = Entfernt
word-Enforce = Durchsetzen
word-Shadow = Nur beobachten
word-Off = Aus
word-Observe = Beobachten
word-forwarding = wird zugestellt
word-delivered = zugestellt
word-tentative = vorläufig
word-held = zurückgehalten
word-releasing = wird freigegeben
word-in-doubt = ungewiss
word-in-doubt-live = ungewiss (weitergeleitet)
word-released = freigegeben
word-refused = abgewiesen
word-failed = fehlgeschlagen
word-denied = abgelehnt
word-deleted = gelöscht
word-expired = abgelaufen
word-investigating = wird untersucht
word-contained = eingedämmt
word-replaying = wird neu geprüft
word-resolved = behoben
word-pending = steht aus
word-cleared = entlastet
word-upheld = bestätigt
word-inconclusive = unentschieden
word-settled = anders entschieden
word-asked = angefragt
word-checking = wird geprüft
word-shadow = nur beobachtend
word-canary-1 = Canary 1 %
word-canary-10 = Canary 10 %
word-canary-50 = Canary 50 %
word-live = in Kraft
word-rolled-back = zurückgerollt
word-superseded = abgelöst
word-static = statisch
word-look-alike = Doppelgänger
word-backtest = Backtest
word-pardon = bekannt gute passieren
word-probation = auf Bewährung
word-delay = verzögert
word-suspect = verdächtig
word-recommend = nur Alarm
word-forced = erzwungen
word-paused = angehalten
word-fast-lane = beschleunigt
word-disabled = deaktiviert
word-waiting = wartet
word-running = läuft
word-done = erledigt
word-cancelled = abgebrochen
word-open = offen
word-closed = geschlossen
word-ok = in Ordnung
word-failing = gestört
word-late = verspätet
word-passed = bestanden
word-none = keine
word-unknown = unbekannt
word-queued = eingereiht
word-claimed = übernommen
word-attempting = wird versucht
word-deferred = aufgeschoben
word-under-way = im Gange
word-in-force = in Kraft
word-unchanged = unverändert
word-weak = schwach
word-strong = stark
word-arrived = eingetroffen
word-hop-accepted = vom nächsten Server angenommen
word-hop-refused = vom nächsten Server abgewiesen
word-answer-lost = Antwort verloren
word-confirmed = bestätigt
word-lapsed = verfallen
word-reexamined = neu geprüft
word-release-requested = Freigabe verlangt
word-release-accepted = Freigabe angenommen
word-release-unanswered = Freigabe unbeantwortet
word-release-repeated = Freigabe wiederholt
word-release-refused = Freigabe abgewiesen
word-recovered = wiederhergestellt
word-Done = Erledigt
word-Timeout = Zeitüberschreitung
word-Skipped = Übersprungen
word-opened = eröffnet
word-note = Notiz
word-resumed = fortgesetzt
word-hit = Treffer
word-probed = getestet
word-moved = Zustand geändert
word-waited = gewartet
word-content = Inhalt
word-message = Nachricht
word-continue = weitermachen
word-defer = aufschieben
word-hold = zurückhalten
word-text = Text
word-html = HTML
word-image = Bild
word-archive = Archiv
word-executable = Programm
word-script = Skript
word-office = Office-Dokument
word-pdf = PDF
word-media = Medien
word-mail = E-Mail
word-other = andere
