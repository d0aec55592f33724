<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>Docks</name>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Scenario</source>
        <translation>Szenario</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>Inspektor</translation>
    </message>
    <message>
        <source>Operations</source>
        <translation>Operationen</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Messläufe</translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation>Aufträge</translation>
    </message>
</context>
<context>
    <name>Languages</name>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
</context>
<context>
    <name>Printing</name>
    <message>
        <source>The report was not printed: %1</source>
        <translation>Der Bericht wurde nicht gedruckt: %1</translation>
    </message>
    <message>
        <source>%1 is not installed (Debian: apt install cups-client). Print to a file instead.</source>
        <translation>%1 ist nicht installiert (Debian: apt install cups-client). Stattdessen in eine Datei drucken.</translation>
    </message>
    <message>
        <source>%1 did not answer.</source>
        <translation>%1 hat nicht geantwortet.</translation>
    </message>
    <message>
        <source>Sent to the printer %1</source>
        <translation>An den Drucker %1 gesendet</translation>
    </message>
</context>
<context>
    <name>Saving</name>
    <message>
        <source>Written to %1</source>
        <translation>Geschrieben nach %1</translation>
    </message>
    <message>
        <source>%1 was not written: %2</source>
        <translation>%1 wurde nicht geschrieben: %2</translation>
    </message>
    <message>
        <source>Save Figure</source>
        <translation>Diagramm speichern</translation>
    </message>
    <message>
        <source>Save Data</source>
        <translation>Daten speichern</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::HelpDialog</name>
    <message>
        <source>Keys and Gestures</source>
        <translation>Tasten und Gesten</translation>
    </message>
    <message>
        <source>Rest the pointer, arrow keys</source>
        <translation>Zeiger ruhen lassen, Pfeiltasten</translation>
    </message>
    <message>
        <source>Facts of a datum</source>
        <translation>Angaben zu einem Datum</translation>
    </message>
    <message>
        <source>Click, Enter</source>
        <translation>Klicken, Eingabetaste</translation>
    </message>
    <message>
        <source>Select and inspect</source>
        <translation>Auswählen und ansehen</translation>
    </message>
    <message>
        <source>Drag</source>
        <translation>Ziehen</translation>
    </message>
    <message>
        <source>Brush a box or a range; it filters all pages</source>
        <translation>Ausschnitt oder Bereich markieren; er filtert alle Seiten</translation>
    </message>
    <message>
        <source>Wheel, + and −</source>
        <translation>Rad, + und −</translation>
    </message>
    <message>
        <source>Zoom at the pointer</source>
        <translation>Am Zeiger zoomen</translation>
    </message>
    <message>
        <source>Middle drag, Space and drag, Shift and arrows</source>
        <translation>Mit mittlerer Taste ziehen, Leertaste und ziehen, Umschalt und Pfeile</translation>
    </message>
    <message>
        <source>Pan</source>
        <translation>Verschieben</translation>
    </message>
    <message>
        <source>Double-click</source>
        <translation>Doppelklick</translation>
    </message>
    <message>
        <source>Show everything again</source>
        <translation>Wieder alles zeigen</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>Clear brush, selection, zoom, in this order</source>
        <translation>Markierung, Auswahl, Zoom aufheben, in dieser Reihenfolge</translation>
    </message>
    <message>
        <source>Right click</source>
        <translation>Rechtsklick</translation>
    </message>
    <message>
        <source>Copy, save, show as table</source>
        <translation>Kopieren, speichern, als Tabelle zeigen</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Taste</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Gestures in every chart</source>
        <translation>Gesten in jedem Diagramm</translation>
    </message>
    <message>
        <source>Gesture</source>
        <translation>Geste</translation>
    </message>
    <message>
        <source>Does</source>
        <translation>Bewirkt</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::MainWindow</name>
    <message>
        <source>Memory</source>
        <translation>Speicher</translation>
    </message>
    <message>
        <source>Overview</source>
        <translation>Überblick</translation>
    </message>
    <message>
        <source>Roofline</source>
        <translation>Roofline</translation>
    </message>
    <message>
        <source>Timeline</source>
        <translation>Zeitleiste</translation>
    </message>
    <message>
        <source>KV cache</source>
        <translation>KV-Cache</translation>
    </message>
    <message>
        <source>Plan</source>
        <translation>Plan</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>Messen</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Opened %1</source>
        <translation>%1 geöffnet</translation>
    </message>
    <message>
        <source>%1: left out, because a newer version wrote it: %2</source>
        <translation>%1: ausgelassen, weil eine neuere Version es geschrieben hat: %2</translation>
    </message>
    <message>
        <source>Edit scenario</source>
        <translation>Szenario ändern</translation>
    </message>
    <message>
        <source>Measuring</source>
        <translation>Messung</translation>
    </message>
    <message>
        <source>A measurement is running.</source>
        <translation>Eine Messung läuft.</translation>
    </message>
    <message>
        <source>Keep measuring</source>
        <translation>Weiter messen</translation>
    </message>
    <message>
        <source>Stop and save</source>
        <translation>Anhalten und speichern</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Open…</source>
        <translation>Öff&amp;nen…</translation>
    </message>
    <message>
        <source>Open &amp;Recent</source>
        <translation>Zuletzt ge&amp;öffnet</translation>
    </message>
    <message>
        <source>&amp;Close Run</source>
        <translation>Messlauf s&amp;chließen</translation>
    </message>
    <message>
        <source>&amp;Export Report…</source>
        <translation>Bericht &amp;exportieren…</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederherstellen</translation>
    </message>
    <message>
        <source>Copy as &amp;Command</source>
        <translation>Als &amp;Befehl kopieren</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>&amp;Messlauf</translation>
    </message>
    <message>
        <source>&amp;Measure…</source>
        <translation>&amp;Messen…</translation>
    </message>
    <message>
        <source>&amp;Repeat Measurement</source>
        <translation>Messung &amp;wiederholen</translation>
    </message>
    <message>
        <source>Use as &amp;Baseline</source>
        <translation>Als &amp;Referenzlauf nehmen</translation>
    </message>
    <message>
        <source>Set baseline</source>
        <translation>Referenzlauf festlegen</translation>
    </message>
    <message>
        <source>&amp;Filter</source>
        <translation>&amp;Filter</translation>
    </message>
    <message>
        <source>&amp;Prefill only</source>
        <translation>Nur &amp;Prefill</translation>
    </message>
    <message>
        <source>&amp;Decode only</source>
        <translation>Nur &amp;Decode</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Maximise Chart</source>
        <translation>Diagramm &amp;maximieren</translation>
    </message>
    <message>
        <source>Restore &amp;Default Layout</source>
        <translation>&amp;Standardanordnung wiederherstellen</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Export Report</source>
        <translation>Bericht exportieren</translation>
    </message>
    <message>
        <source>HTML (*.html)</source>
        <translation>HTML (*.html)</translation>
    </message>
    <message>
        <source>Copied: %1</source>
        <translation>Kopiert: %1</translation>
    </message>
    <message>
        <source>Measurement ended</source>
        <translation>Messung beendet</translation>
    </message>
    <message>
        <source>New &amp;Window</source>
        <translation>Neues &amp;Fenster</translation>
    </message>
    <message>
        <source>&amp;Save Project</source>
        <translation>Projekt &amp;speichern</translation>
    </message>
    <message>
        <source>Save Project &amp;As…</source>
        <translation>Projekt speichern &amp;unter…</translation>
    </message>
    <message>
        <source>Project &amp;Note…</source>
        <translation>Pro&amp;jektnotiz…</translation>
    </message>
    <message>
        <source>Se&amp;ttings…</source>
        <translation>E&amp;instellungen…</translation>
    </message>
    <message>
        <source>&amp;Find Operations…</source>
        <translation>Operationen &amp;suchen…</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Keys and Gestures</source>
        <translation>&amp;Tasten und Gesten</translation>
    </message>
    <message>
        <source>Dachlast[*]</source>
        <translation>Dachlast[*]</translation>
    </message>
    <message>
        <source>%1[*] – Dachlast</source>
        <translation>%1[*] – Dachlast</translation>
    </message>
    <message>
        <source>Written to %1</source>
        <translation>Geschrieben nach %1</translation>
    </message>
    <message>
        <source>Save elsewhere…</source>
        <translation>Anderswo speichern…</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Save Project</source>
        <translation>Projekt speichern</translation>
    </message>
    <message>
        <source>Projects (*.dachlast-project)</source>
        <translation>Projekte (*.dachlast-project)</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Projekt</translation>
    </message>
    <message>
        <source>The project has changes that are not saved.</source>
        <translation>Das Projekt hat Änderungen, die nicht gespeichert sind.</translation>
    </message>
    <message>
        <source>Project Note</source>
        <translation>Projektnotiz</translation>
    </message>
    <message>
        <source>What this project is about</source>
        <translation>Worum es in diesem Projekt geht</translation>
    </message>
    <message>
        <source>a project that was never saved</source>
        <translation>ein Projekt, das nie gespeichert wurde</translation>
    </message>
    <message>
        <source>The program ended unexpectedly. Kept from %1: %2.</source>
        <translation>Das Programm wurde unerwartet beendet. Erhalten vom %1: %2.</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Drop</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>Später</translation>
    </message>
    <message>
        <source>Find Operations</source>
        <translation>Operationen suchen</translation>
    </message>
    <message>
        <source>The name contains</source>
        <translation>Der Name enthält</translation>
    </message>
    <message>
        <source>Selected: %1. They are of different kinds and have no sum.</source>
        <translation>Ausgewählt: %1. Sie sind verschiedener Art und haben keine Summe.</translation>
    </message>
    <message>
        <source>Selected: %1</source>
        <translation>Ausgewählt: %1</translation>
    </message>
    <message>
        <source>Save as Chrome Trace</source>
        <translation>Als Chrome-Trace speichern</translation>
    </message>
    <message>
        <source>Chrome trace (*.json)</source>
        <translation>Chrome-Trace (*.json)</translation>
    </message>
    <message>
        <source>&amp;Print Report…</source>
        <translation>Bericht &amp;drucken…</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>Writing %1…</source>
        <translation>%1 wird geschrieben…</translation>
    </message>
    <message>
        <source>Printing the report…</source>
        <translation>Bericht wird gedruckt…</translation>
    </message>
    <message>
        <source>Reading %1…</source>
        <translation>%1 wird gelesen…</translation>
    </message>
    <message>
        <source>Runs, projects, reports, models and recordings (*.dachlast *.dachlast-project *.html *.json *.json.gz *.sqlite *.safetensors *.gguf);;All files (*)</source>
        <translation>Messläufe, Projekte, Berichte, Modelle und Aufzeichnungen (*.dachlast *.dachlast-project *.html *.json *.json.gz *.sqlite *.safetensors *.gguf);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>&amp;Undo: %1</source>
        <translation>&amp;Rückgängig: %1</translation>
    </message>
    <message>
        <source>&amp;Redo: %1</source>
        <translation>&amp;Wiederherstellen: %1</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::MeasureController</name>
    <message>
        <source>Measurement written to %1</source>
        <translation>Messung geschrieben nach %1</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::NoticeBar</name>
    <message>
        <source>Notice</source>
        <translation>Hinweis</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::PlanController</name>
    <message>
        <source>Warning: %1</source>
        <translation>Warnung: %1</translation>
    </message>
    <message>
        <source>Assumed: %1</source>
        <translation>Angenommen: %1</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::ProjectController</name>
    <message>
        <source>%1: left out, because a newer version wrote it: %2</source>
        <translation>%1: ausgelassen, weil eine neuere Version es geschrieben hat: %2</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::RecommendController</name>
    <message>
        <source>Warning: %1</source>
        <translation>Warnung: %1</translation>
    </message>
    <message>
        <source>Assumed: %1</source>
        <translation>Angenommen: %1</translation>
    </message>
    <message>
        <source>The search was cancelled. Change a field to search again.</source>
        <translation>Die Suche wurde abgebrochen. Ein Feld ändern, um neu zu suchen.</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::RecordingPresenter</name>
    <message>
        <source>Filter</source>
        <translation>Filter</translation>
    </message>
    <message numerus="yes">
        <source>Timeline range: %n kernel(s) begin there</source>
        <translation>
            <numerusform>Zeitabschnitt: %n Kernel beginnt darin</numerusform>
            <numerusform>Zeitabschnitt: %n Kernel beginnen darin</numerusform>
        </translation>
    </message>
    <message>
        <source>Remove filter</source>
        <translation>Filter entfernen</translation>
    </message>
    <message>
        <source>The attached program did no work on a GPU that was recorded: only its timeline is known.</source>
        <translation>Das angehängte Programm hat nichts auf einer GPU getan, was aufgezeichnet wurde: nur seine Zeitleiste ist bekannt.</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::ReportController</name>
    <message>
        <source>Writing the preview…</source>
        <translation>Die Vorschau wird geschrieben…</translation>
    </message>
    <message>
        <source>Add to report</source>
        <translation>Zum Bericht hinzufügen</translation>
    </message>
    <message>
        <source>Added to the report: %1</source>
        <translation>Zum Bericht hinzugefügt: %1</translation>
    </message>
    <message>
        <source>Remove added charts</source>
        <translation>Hinzugefügte Diagramme entfernen</translation>
    </message>
    <message>
        <source>Dachlast report</source>
        <translation>Dachlast-Bericht</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::RunPresenter</name>
    <message>
        <source>Rename run</source>
        <translation>Messlauf umbenennen</translation>
    </message>
    <message>
        <source>Edit note</source>
        <translation>Notiz bearbeiten</translation>
    </message>
    <message>
        <source>Set baseline</source>
        <translation>Referenzlauf festlegen</translation>
    </message>
    <message>
        <source>Reading the timeline of %1…</source>
        <translation>Die Zeitleiste von %1 wird gelesen…</translation>
    </message>
    <message>
        <source>Filter</source>
        <translation>Filter</translation>
    </message>
    <message>
        <source>Remove filter</source>
        <translation>Filter entfernen</translation>
    </message>
    <message>
        <source>Name contains %1</source>
        <translation>Name enthält %1</translation>
    </message>
    <message numerus="yes">
        <source>%n operation(s) selected</source>
        <translation>
            <numerusform>%n Operation ausgewählt</numerusform>
            <numerusform>%n Operationen ausgewählt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Roofline box: %n operation(s)</source>
        <translation>
            <numerusform>Ausschnitt der Roofline: %n Operation</numerusform>
            <numerusform>Ausschnitt der Roofline: %n Operationen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Timeline range: %n operation(s)</source>
        <translation>
            <numerusform>Zeitabschnitt: %n Operation</numerusform>
            <numerusform>Zeitabschnitt: %n Operationen</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading %1…</source>
        <translation>%1 wird gelesen…</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::ScenarioPins</name>
    <message>
        <source>Pin scenario</source>
        <translation>Szenario anheften</translation>
    </message>
    <message>
        <source>Remove scenario</source>
        <translation>Szenario entfernen</translation>
    </message>
</context>
<context>
    <name>dachlast::gui::SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>General</source>
        <translation>Allgemein</translation>
    </message>
    <message>
        <source>Keyboard</source>
        <translation>Tastatur</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Farbschema</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>as each run says</source>
        <translation>wie jeder Messlauf angibt</translation>
    </message>
    <message>
        <source> %</source>
        <comment>unit of a share, with its space</comment>
        <translation> %</translation>
    </message>
    <message>
        <source>Utilisation that names a bound</source>
        <translation>Auslastung, die eine Begrenzung benennt</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Farbschema</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>&amp;Utilisation that names a bound</source>
        <translation>&amp;Auslastung, die eine Begrenzung benennt</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Taste</translation>
    </message>
    <message>
        <source>Keys of commands</source>
        <translation>Tasten der Befehle</translation>
    </message>
    <message>
        <source>Key of %1</source>
        <translation>Taste von %1</translation>
    </message>
    <message>
        <source>Every key gives one command.</source>
        <translation>Jede Taste gibt einen Befehl.</translation>
    </message>
    <message>
        <source>One key gives several commands:
%1</source>
        <translation>Eine Taste gibt mehrere Befehle:
%1</translation>
    </message>
    <message>
        <source>Measured</source>
        <translation>Gemessen</translation>
    </message>
    <message>
        <source>Datasheet</source>
        <translation>Datenblatt</translation>
    </message>
    <message>
        <source>Roofs that shares refer to</source>
        <translation>Obergrenzen, auf die sich Anteile beziehen</translation>
    </message>
    <message>
        <source>&amp;Roofs that shares refer to</source>
        <translation>&amp;Obergrenzen, auf die sich Anteile beziehen</translation>
    </message>
    <message>
        <source>Where a device has one kind of roofs only, those are used. The roofline shows both.</source>
        <translation>Hat ein Gerät nur eine Art von Obergrenzen, gelten diese. Das Roofline-Diagramm zeigt beide.</translation>
    </message>
    <message>
        <source>Units of memory</source>
        <translation>Einheiten des Speichers</translation>
    </message>
    <message>
        <source>Units of &amp;memory</source>
        <translation>Einheiten des S&amp;peichers</translation>
    </message>
    <message>
        <source>The language changes at the next start.</source>
        <translation>Die Sprache ändert sich beim nächsten Start.</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::ChipBar</name>
    <message>
        <source>Filters</source>
        <translation>Filter</translation>
    </message>
    <message>
        <source>Remove filter %1</source>
        <translation>Filter %1 entfernen</translation>
    </message>
    <message>
        <source>Remove this filter</source>
        <translation>Diesen Filter entfernen</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::CompareView</name>
    <message>
        <source>Open a second run or drop one here.</source>
        <translation>Einen zweiten Messlauf öffnen oder hier ablegen.</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Öffnen…</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>Smallest change that counts</source>
        <translation>Kleinste Änderung, die zählt</translation>
    </message>
    <message>
        <source>&amp;Smallest change that counts</source>
        <translation>&amp;Kleinste Änderung, die zählt</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>Punkte</translation>
    </message>
    <message>
        <source>Phases</source>
        <translation>Phasen</translation>
    </message>
    <message>
        <source>All settings are equal.</source>
        <translation>Alle Einstellungen sind gleich.</translation>
    </message>
    <message>
        <source>★ Baseline %1</source>
        <translation>★ Referenzlauf %1</translation>
    </message>
    <message>
        <source>Comparison</source>
        <translation>Vergleich</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::DataTable</name>
    <message>
        <source>Copy cell</source>
        <translation>Zelle kopieren</translation>
    </message>
    <message>
        <source>Copy rows</source>
        <translation>Zeilen kopieren</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Als Markdown kopieren</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>Spalten</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>Tabelle</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::FigureView</name>
    <message>
        <source>Copy image</source>
        <translation>Bild kopieren</translation>
    </message>
    <message>
        <source>Copy data</source>
        <translation>Daten kopieren</translation>
    </message>
    <message>
        <source>Save as SVG…</source>
        <translation>Als SVG speichern…</translation>
    </message>
    <message>
        <source>Save as CSV…</source>
        <translation>Als CSV speichern…</translation>
    </message>
    <message>
        <source>Save as JSON…</source>
        <translation>Als JSON speichern…</translation>
    </message>
    <message>
        <source>Show as table</source>
        <translation>Als Tabelle zeigen</translation>
    </message>
    <message>
        <source>Show everything</source>
        <translation>Alles zeigen</translation>
    </message>
    <message>
        <source>Add to report</source>
        <translation>Zum Bericht hinzufügen</translation>
    </message>
    <message>
        <source>Chart</source>
        <translation>Diagramm</translation>
    </message>
    <message>
        <source>Save as PNG</source>
        <translation>Als PNG speichern</translation>
    </message>
    <message>
        <source>%1× pixels…</source>
        <extracomment>%1 is a number of pixels</extracomment>
        <translation>%1-fache Pixel…</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::InspectorPanel</name>
    <message>
        <source>Nothing selected</source>
        <translation>Nichts ausgewählt</translation>
    </message>
    <message>
        <source>Select an operation in a chart or a table.</source>
        <translation>Eine Operation in einem Diagramm oder einer Tabelle auswählen.</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::JobsPanel</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>No job is running.</source>
        <translation>Kein Auftrag läuft.</translation>
    </message>
    <message>
        <source>%1 elapsed</source>
        <translation>%1 vergangen</translation>
    </message>
    <message>
        <source>%1 of %2 · %3 elapsed · about %4 left</source>
        <translation>%1 von %2 · %3 vergangen · noch etwa %4</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::KvCachePage</name>
    <message>
        <source>No requests were served: there is no cache to look into. Measure with dachlast run --serve 16 --kv paged.</source>
        <translation>Keine Anfragen wurden bedient: Es gibt keinen Cache zu betrachten. Messen mit dachlast run --serve 16 --kv paged.</translation>
    </message>
    <message>
        <source>Open a run…</source>
        <translation>Messlauf öffnen…</translation>
    </message>
    <message>
        <source>&amp;Moment</source>
        <translation>&amp;Moment</translation>
    </message>
    <message>
        <source>Moment</source>
        <translation>Moment</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Nutzung</translation>
    </message>
    <message>
        <source>Other block sizes</source>
        <translation>Andere Blockgrößen</translation>
    </message>
    <message>
        <source>Figures</source>
        <translation>Größen</translation>
    </message>
    <message>
        <source>Blocks and their use</source>
        <translation>Blöcke und ihre Nutzung</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::MeasureView</name>
    <message>
        <source>&amp;Measure</source>
        <translation>&amp;Messen</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>&amp;Abbrechen</translation>
    </message>
    <message>
        <source>M&amp;odel</source>
        <translation>M&amp;odell</translation>
    </message>
    <message>
        <source>Conte&amp;xts, tokens</source>
        <translation>Konte&amp;xte, Tokens</translation>
    </message>
    <message>
        <source>512,4096 or 1k..8k*2</source>
        <translation>512,4096 oder 1k..8k*2</translation>
    </message>
    <message>
        <source>&amp;Batch sizes</source>
        <translation>&amp;Batchgrößen</translation>
    </message>
    <message>
        <source>1,8</source>
        <translation>1,8</translation>
    </message>
    <message>
        <source>&amp;Weights</source>
        <translation>&amp;Gewichte</translation>
    </message>
    <message>
        <source>as published</source>
        <translation>wie veröffentlicht</translation>
    </message>
    <message>
        <source>&amp;KV cache</source>
        <translation>&amp;KV-Cache</translation>
    </message>
    <message>
        <source>as the weights</source>
        <translation>wie die Gewichte</translation>
    </message>
    <message>
        <source>until known to 3 %</source>
        <translation>bis auf 3 % bekannt</translation>
    </message>
    <message>
        <source>Repeats</source>
        <translation>Wiederholungen</translation>
    </message>
    <message>
        <source>&amp;Repeats</source>
        <translation>&amp;Wiederholungen</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Points to measure</source>
        <translation>Zu messende Punkte</translation>
    </message>
    <message>
        <source>Memory needed</source>
        <translation>Benötigter Speicher</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>Dieser Rechner</translation>
    </message>
    <message>
        <source>Before measuring</source>
        <translation>Vor dem Messen</translation>
    </message>
    <message>
        <source>KV &amp;layout</source>
        <translation>Aufteilung des KV-&amp;Caches</translation>
    </message>
    <message>
        <source>contiguous</source>
        <translation>zusammenhängend</translation>
    </message>
    <message>
        <source>&amp;Timeline of every step</source>
        <translation>Zeitverlauf jedes &amp;Schritts</translation>
    </message>
    <message>
        <source>Timeline of every step</source>
        <translation>Zeitverlauf jedes Schritts</translation>
    </message>
    <message>
        <source>Otherwise the spans of the first three steps of each point are kept.</source>
        <translation>Sonst werden die Zeitspannen der ersten drei Schritte jedes Punkts behalten.</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::OverviewView</name>
    <message>
        <source>Warning: %1</source>
        <translation>Warnung: %1</translation>
    </message>
    <message>
        <source>No run open.</source>
        <translation>Kein Messlauf geöffnet.</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Öffnen…</translation>
    </message>
    <message>
        <source>Findings</source>
        <translation>Befunde</translation>
    </message>
    <message>
        <source>Phases</source>
        <translation>Phasen</translation>
    </message>
    <message>
        <source>Evidence</source>
        <translation>Belege</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>Aufzeichnung</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Geräte</translation>
    </message>
    <message>
        <source>What the time went to</source>
        <translation>Wohin die Zeit ging</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::PlanView</name>
    <message>
        <source>Choose a model to see what it needs.</source>
        <translation>Ein Modell wählen, um seinen Bedarf zu sehen.</translation>
    </message>
    <message>
        <source>Choose model</source>
        <translation>Modell wählen</translation>
    </message>
    <message>
        <source>Memory: share of the budget</source>
        <translation>Speicher: Anteil am Budget</translation>
    </message>
    <message>
        <source>Predicted TPOT</source>
        <translation>Vorhergesagte TPOT</translation>
    </message>
    <message>
        <source>Predicted throughput</source>
        <translation>Vorhergesagter Durchsatz</translation>
    </message>
    <message>
        <source>What the heatmap shows</source>
        <translation>Was die Heatmap zeigt</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>Diagramme</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::RecommendView</name>
    <message>
        <source>Choose a model to see which hardware serves it.</source>
        <translation>Ein Modell wählen, um passende Hardware zu sehen.</translation>
    </message>
    <message>
        <source>Choose model</source>
        <translation>Modell wählen</translation>
    </message>
    <message>
        <source>no limit</source>
        <translation>beliebig</translation>
    </message>
    <message>
        <source>&amp;Cancel</source>
        <translation>&amp;Abbrechen</translation>
    </message>
    <message>
        <source>Cancel the search</source>
        <translation>Suche abbrechen</translation>
    </message>
    <message>
        <source>all known ones</source>
        <translation>alle bekannten</translation>
    </message>
    <message>
        <source>Names, separated by commas: h100-sxm, l40s</source>
        <translation>Namen, durch Kommas getrennt: h100-sxm, l40s</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>A CSV or YAML file of prices per GPU and hour, or the dated examples that come along</source>
        <translation>CSV- oder YAML-Datei mit Preisen je GPU und Stunde, oder die datierten Beispiele, die mitgeliefert werden</translation>
    </message>
    <message>
        <source>Choose a price file</source>
        <translation>Preisdatei wählen</translation>
    </message>
    <message>
        <source>Re&amp;quests at once</source>
        <translation>Anfragen &amp;zugleich</translation>
    </message>
    <message>
        <source>&amp;TTFT, ms</source>
        <translation>&amp;TTFT, ms</translation>
    </message>
    <message>
        <source>TP&amp;OT, ms</source>
        <translation>TP&amp;OT, ms</translation>
    </message>
    <message>
        <source>&amp;Most GPUs</source>
        <translation>&amp;Meiste GPUs</translation>
    </message>
    <message>
        <source>GP&amp;Us</source>
        <translation>GP&amp;Us</translation>
    </message>
    <message>
        <source>P&amp;rices</source>
        <translation>P&amp;reise</translation>
    </message>
    <message>
        <source>Searching</source>
        <translation>Suche läuft</translation>
    </message>
    <message>
        <source>Horizontal axis</source>
        <translation>Waagerechte Achse</translation>
    </message>
    <message>
        <source>Vertical axis</source>
        <translation>Senkrechte Achse</translation>
    </message>
    <message>
        <source>All candidates</source>
        <translation>Alle Kandidaten</translation>
    </message>
    <message>
        <source>Over batch</source>
        <translation>Über dem Batch</translation>
    </message>
    <message>
        <source>Over context</source>
        <translation>Über dem Kontext</translation>
    </message>
    <message>
        <source>A click makes a candidate the scenario.</source>
        <translation>Ein Klick macht einen Kandidaten zum Szenario.</translation>
    </message>
    <message>
        <source>Predicted speed of the scenario over its batch.</source>
        <translation>Vorhergesagte Geschwindigkeit des Szenarios über dem Batch.</translation>
    </message>
    <message>
        <source>Predicted speed of the scenario over its context.</source>
        <translation>Vorhergesagte Geschwindigkeit des Szenarios über dem Kontext.</translation>
    </message>
    <message>
        <source>Assumptions</source>
        <translation>Annahmen</translation>
    </message>
    <message>
        <source>Options</source>
        <translation>Alternativen</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>Verworfen</translation>
    </message>
    <message>
        <source>Scenarios</source>
        <translation>Szenarien</translation>
    </message>
    <message>
        <source>A click makes an option the scenario; Ctrl+Z takes it back.</source>
        <translation>Ein Klick macht eine Alternative zum Szenario; Strg+Z nimmt es zurück.</translation>
    </message>
    <message>
        <source>Prices</source>
        <translation>Preise</translation>
    </message>
    <message>
        <source>Prices (*.csv *.yaml *.yml *.json)</source>
        <translation>Preise (*.csv *.yaml *.yml *.json)</translation>
    </message>
    <message>
        <source>Rejected (%1)</source>
        <translation>Verworfen (%1)</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>Lists</source>
        <translation>Listen</translation>
    </message>
    <message>
        <source>Charts and lists</source>
        <translation>Diagramme und Listen</translation>
    </message>
    <message>
        <source>Outdone &amp;ones</source>
        <translation>Übe&amp;rtroffene</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::ReportView</name>
    <message>
        <source>Open…</source>
        <translation>Öffnen…</translation>
    </message>
    <message>
        <source>Preview of the report</source>
        <translation>Vorschau des Berichts</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>Vollständig</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>Zusammenfassung</translation>
    </message>
    <message>
        <source>Level</source>
        <translation>Umfang</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>Titel</translation>
    </message>
    <message>
        <source>Author</source>
        <translation>Autor</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Notiz</translation>
    </message>
    <message>
        <source>&amp;Export report…</source>
        <translation>Bericht &amp;exportieren…</translation>
    </message>
    <message>
        <source>This is what the exported file holds.</source>
        <translation>Dies enthält die exportierte Datei.</translation>
    </message>
    <message>
        <source>Nothing to report yet. Open a run, or choose a model to plan.</source>
        <translation>Noch gibt es nichts zu berichten. Einen Messlauf öffnen oder ein Modell zum Planen wählen.</translation>
    </message>
    <message>
        <source>Language of the report</source>
        <translation>Sprache des Berichts</translation>
    </message>
    <message numerus="yes">
        <source>Remove %n added chart(s)</source>
        <translation>
            <numerusform>%n hinzugefügtes Diagramm entfernen</numerusform>
            <numerusform>%n hinzugefügte Diagramme entfernen</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>dachlast::ui::RooflineView</name>
    <message>
        <source>No run open.</source>
        <translation>Kein Messlauf geöffnet.</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Öffnen…</translation>
    </message>
    <message>
        <source>Share of the time that the operations shown cover</source>
        <translation>Anteil der Zeit, den die gezeigten Operationen abdecken</translation>
    </message>
    <message>
        <source>&amp;Operations covering %1 % of the time</source>
        <translation>&amp;Operationen, die %1 % der Zeit abdecken</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::RunListModel</name>
    <message>
        <source>The baseline</source>
        <translation>Der Referenzlauf</translation>
    </message>
    <message>
        <source>Use as baseline</source>
        <translation>Als Referenzlauf nehmen</translation>
    </message>
    <message>
        <source>Baseline</source>
        <translation>Referenzlauf</translation>
    </message>
    <message>
        <source>Not the baseline</source>
        <translation>Nicht der Referenzlauf</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Messlauf</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>Gegenstand</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Datum</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Notiz</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::RunsPanel</name>
    <message>
        <source>Open runs</source>
        <translation>Geöffnete Messläufe</translation>
    </message>
    <message>
        <source>Use as baseline</source>
        <translation>Als Referenzlauf nehmen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Edit note</source>
        <translation>Notiz bearbeiten</translation>
    </message>
    <message>
        <source>Close run</source>
        <translation>Messlauf schließen</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::ScenarioForm</name>
    <message>
        <source>&amp;Model</source>
        <translation>&amp;Modell</translation>
    </message>
    <message>
        <source>&amp;GPU</source>
        <translation>&amp;GPU</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>Con&amp;text, tokens</source>
        <translation>Kon&amp;text, Tokens</translation>
    </message>
    <message>
        <source>&amp;Batch size</source>
        <translation>&amp;Batchgröße</translation>
    </message>
    <message>
        <source>&amp;Weights</source>
        <translation>&amp;Gewichte</translation>
    </message>
    <message>
        <source>as published</source>
        <translation>wie veröffentlicht</translation>
    </message>
    <message>
        <source>&amp;KV cache</source>
        <translation>&amp;KV-Cache</translation>
    </message>
    <message>
        <source>as activations</source>
        <translation>wie Aktivierungen</translation>
    </message>
    <message>
        <source>&amp;Engine</source>
        <translation>&amp;Engine</translation>
    </message>
    <message>
        <source>T&amp;P</source>
        <translation>T&amp;P</translation>
    </message>
    <message>
        <source>PP</source>
        <translation>PP</translation>
    </message>
    <message>
        <source>Memory bu&amp;dget, %</source>
        <translation>Speicherbu&amp;dget, %</translation>
    </message>
    <message>
        <source>engine default</source>
        <translation>Vorgabe der Engine</translation>
    </message>
    <message>
        <source>Attention &amp;DP</source>
        <translation>Attention-&amp;DP</translation>
    </message>
    <message>
        <source>Expert parallelism, of models with experts: each GPU holds a share of them whole.</source>
        <translation>Expertenparallelität bei Modellen mit Experten: Jede GPU hält einen Teil von ihnen ganz.</translation>
    </message>
    <message>
        <source>Expert parallelism</source>
        <translation>Expertenparallelität</translation>
    </message>
    <message>
        <source>E&amp;P</source>
        <translation>E&amp;P</translation>
    </message>
</context>
<context>
    <name>dachlast::ui::ScenariosView</name>
    <message>
        <source>No scenario is pinned. Choose model, GPU and sizes in the scenario dock, then hold several side by side.</source>
        <translation>Kein Szenario ist angeheftet. Modell, GPU und Größen im Szenario-Dock wählen und mehrere nebeneinanderhalten.</translation>
    </message>
    <message>
        <source>Pin this scenario</source>
        <translation>Dieses Szenario anheften</translation>
    </message>
    <message>
        <source>&amp;Adopt</source>
        <translation>&amp;Übernehmen</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>&amp;Entfernen</translation>
    </message>
    <message>
        <source>&amp;Pin this scenario</source>
        <translation>Dieses Szenario an&amp;heften</translation>
    </message>
    <message numerus="yes">
        <source>%n scenario(s) side by side.</source>
        <translation>
            <numerusform>%n Szenario.</numerusform>
            <numerusform>%n Szenarien nebeneinander.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>dachlast::ui::TimelineView</name>
    <message>
        <source>Timeline was not recorded.</source>
        <translation>Keine Zeitleiste wurde aufgezeichnet.</translation>
    </message>
    <message>
        <source>Measure with timeline</source>
        <translation>Mit Zeitleiste messen</translation>
    </message>
    <message>
        <source>&amp;Step of</source>
        <translation>&amp;Schritt von</translation>
    </message>
    <message>
        <source>Measured point</source>
        <translation>Gemessener Punkt</translation>
    </message>
    <message>
        <source>‹ Previous step</source>
        <translation>‹ Voriger Schritt</translation>
    </message>
    <message>
        <source>Next step ›</source>
        <translation>Nächster Schritt ›</translation>
    </message>
    <message>
        <source>Wheel: zoom. Drag: statistics of a range. Middle drag or Space and drag: pan. Double-click: the step.</source>
        <translation>Rad: zoomen. Ziehen: Statistik eines Bereichs. Mit der mittleren Taste oder mit Leertaste ziehen: verschieben. Doppelklick: der Schritt.</translation>
    </message>
    <message>
        <source>Baseline %1</source>
        <translation>Referenzlauf %1</translation>
    </message>
    <message>
        <source>Save as Chrome trace…</source>
        <translation>Als Chrome-Trace speichern…</translation>
    </message>
    <message numerus="yes">
        <source>%1 (%2 of %n step(s) recorded)</source>
        <translation>
            <numerusform>%1 (%2 von %n Schritt aufgezeichnet)</numerusform>
            <numerusform>%1 (%2 von %n Schritten aufgezeichnet)</numerusform>
        </translation>
    </message>
    <message>
        <source>GP&amp;U shown</source>
        <translation>Gezeigte GP&amp;U</translation>
    </message>
    <message>
        <source>GPU shown</source>
        <translation>Gezeigte GPU</translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>Shows measured runs and plans the memory of transformer models.</source>
        <translation>Zeigt Messläufe und plant den Speicher von Transformer-Modellen.</translation>
    </message>
    <message>
        <source>Runs, projects, reports and models to open.</source>
        <translation>Zu öffnende Messläufe, Projekte, Berichte und Modelle.</translation>
    </message>
</context>
</TS>
