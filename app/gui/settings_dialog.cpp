#include "app/gui/settings_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QTabWidget>
#include <QTableWidget>
#include <QVBoxLayout>

#include "app/gui/languages.h"
#include "ui/widgets/page.h"

namespace dachlast::gui {
namespace {

constexpr QSize kSettingsSize{560, 480};
constexpr int kMostThreshold = 99;
constexpr int kKeyWidth = 180;

}  // namespace

SettingsDialog::SettingsDialog(const Preferences& preferences, const QList<Command>& commands, QWidget* parent)
    : QDialog(parent),
      commands_(commands),
      theme_(new QComboBox),
      language_(new QComboBox),
      units_(new QComboBox),
      threshold_(new QSpinBox),
      roofs_(new QComboBox),
      table_(new QTableWidget),
      conflicts_(ui::sentence_label()),
      buttons_(
          new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel | QDialogButtonBox::RestoreDefaults)) {
  setWindowTitle(tr("Settings"));
  auto* tabs = new QTabWidget;
  tabs->setAccessibleName(tr("Settings"));
  tabs->addTab(makeGeneral(preferences), tr("General"));
  tabs->addTab(makeKeys(), tr("Keyboard"));
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(tabs, 1);
  layout->addWidget(buttons_);
  connect(buttons_, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons_, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(buttons_->button(QDialogButtonBox::RestoreDefaults), &QPushButton::clicked, this,
          &SettingsDialog::restoreStandard);
  resize(kSettingsSize);
  check();
}

QWidget* SettingsDialog::makeGeneral(const Preferences& preferences) {
  auto* page = new QWidget;
  auto* form = new QFormLayout(page);
  theme_->addItems({tr("As the system"), tr("Light"), tr("Dark")});
  theme_->setCurrentIndex(static_cast<int>(preferences.theme));
  theme_->setAccessibleName(tr("Theme"));
  for (const QString& choice : language_choices()) language_->addItem(language_title(choice), choice);
  language_->setCurrentIndex(std::max(language_->findData(preferences.language), 0));
  language_->setAccessibleName(tr("Language"));
  threshold_->setRange(0, kMostThreshold);
  threshold_->setSpecialValueText(tr("as each run says"));
  threshold_->setSuffix(tr(" %", "unit of a share, with its space"));
  threshold_->setValue(preferences.threshold_percent);
  threshold_->setAccessibleName(tr("Utilisation that names a bound"));
  form->addRow(tr("&Theme"), theme_);
  form->addRow(tr("&Language"), language_);
  auto* later = ui::sentence_label();
  later->setText(tr("The language changes at the next start."));
  form->addRow(later);
  units_->addItems({QStringLiteral("GiB, MiB, KiB"), QStringLiteral("GB, MB, kB")});
  units_->setCurrentIndex(static_cast<int>(preferences.units));
  units_->setAccessibleName(tr("Units of memory"));
  form->addRow(tr("Units of &memory"), units_);
  roofs_->addItems({tr("Measured"), tr("Datasheet")});
  roofs_->setCurrentIndex(static_cast<int>(preferences.roofs));
  roofs_->setAccessibleName(tr("Roofs that shares refer to"));
  form->addRow(tr("&Utilisation that names a bound"), threshold_);
  form->addRow(tr("&Roofs that shares refer to"), roofs_);
  auto* fallback = ui::sentence_label();
  fallback->setText(tr("Where a device has one kind of roofs only, those are used. The roofline shows both."));
  form->addRow(fallback);
  return page;
}

QWidget* SettingsDialog::makeKeys() {
  auto* page = new QWidget;
  auto* layout = new QVBoxLayout(page);
  table_->setColumnCount(2);
  table_->setRowCount(static_cast<int>(commands_.size()));
  table_->setHorizontalHeaderLabels({tr("Command"), tr("Key")});
  table_->setAccessibleName(tr("Keys of commands"));
  table_->setSelectionMode(QAbstractItemView::NoSelection);
  table_->setTabKeyNavigation(false);
  table_->verticalHeader()->hide();
  table_->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
  table_->setColumnWidth(1, kKeyWidth);
  for (int row = 0; row < commands_.size(); ++row) {
    auto* title = new QTableWidgetItem(commands_[row].title);
    title->setFlags(Qt::ItemIsEnabled);
    table_->setItem(row, 0, title);
    auto* key = new QKeySequenceEdit(commands_[row].key);
    key->setAccessibleName(tr("Key of %1").arg(commands_[row].title));
    connect(key, &QKeySequenceEdit::keySequenceChanged, this, &SettingsDialog::check);
    table_->setCellWidget(row, 1, key);
    keys_ << key;
  }
  layout->addWidget(table_, 1);
  layout->addWidget(conflicts_);
  return page;
}

void SettingsDialog::restoreStandard() {
  theme_->setCurrentIndex(0);
  language_->setCurrentIndex(0);
  units_->setCurrentIndex(0);
  threshold_->setValue(0);
  roofs_->setCurrentIndex(0);
  for (int row = 0; row < commands_.size(); ++row) keys_[row]->setKeySequence(commands_[row].standard);
}

QList<Command> SettingsDialog::edited() const {
  QList<Command> commands = commands_;
  for (int row = 0; row < commands.size(); ++row) commands[row].key = keys_[row]->keySequence();
  return commands;
}

/// Two commands with one key would leave both without.
void SettingsDialog::check() {
  const QStringList lines = conflicts(edited());
  conflicts_->setText(lines.isEmpty() ? tr("Every key gives one command.")
                                      : tr("One key gives several commands:\n%1").arg(lines.join(u'\n')));
  buttons_->button(QDialogButtonBox::Ok)->setEnabled(lines.isEmpty());
}

Preferences SettingsDialog::preferences() const {
  Preferences preferences;
  preferences.theme = static_cast<ThemeChoice>(theme_->currentIndex());
  preferences.language = language_->currentData().toString();
  preferences.units = static_cast<viewmodel::CapacityUnits>(units_->currentIndex());
  preferences.threshold_percent = threshold_->value();
  preferences.roofs = static_cast<RoofSource>(roofs_->currentIndex());
  for (const Command& command : edited())
    if (command.key != command.standard) preferences.keys[command.id] = command.key;
  return preferences;
}

}  // namespace dachlast::gui
