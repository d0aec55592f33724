<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>dachlast::gui::RecordingPresenter</name>
    <message numerus="yes">
        <source>Timeline range: %n kernel(s) begin there</source>
        <translation>
            <numerusform>Timeline range: %n kernel begins there</numerusform>
            <numerusform>Timeline range: %n kernels begin there</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>dachlast::gui::RunPresenter</name>
    <message numerus="yes">
        <source>%n operation(s) selected</source>
        <translation>
            <numerusform>%n operation selected</numerusform>
            <numerusform>%n operations selected</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Roofline box: %n operation(s)</source>
        <translation>
            <numerusform>Roofline box: %n operation</numerusform>
            <numerusform>Roofline box: %n operations</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Timeline range: %n operation(s)</source>
        <translation>
            <numerusform>Timeline range: %n operation</numerusform>
            <numerusform>Timeline range: %n operations</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>dachlast::ui::ReportView</name>
    <message numerus="yes">
        <source>Remove %n added chart(s)</source>
        <translation>
            <numerusform>Remove %n added chart</numerusform>
            <numerusform>Remove %n added charts</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>dachlast::ui::ScenariosView</name>
    <message numerus="yes">
        <source>%n scenario(s) side by side.</source>
        <translation>
            <numerusform>%n scenario.</numerusform>
            <numerusform>%n scenarios side by side.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>dachlast::ui::TimelineView</name>
    <message numerus="yes">
        <source>%1 (%2 of %n step(s) recorded)</source>
        <translation>
            <numerusform>%1 (%2 of %n step recorded)</numerusform>
            <numerusform>%1 (%2 of %n steps recorded)</numerusform>
        </translation>
    </message>
</context>
</TS>
