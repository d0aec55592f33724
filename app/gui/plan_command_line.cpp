#include "app/gui/plan_command_line.h"

#include <QRegularExpression>
#include <QStringList>

namespace dachlast::gui {
namespace {

/// As POSIX shells read it: everything between single quotes is literal.
QString quoted(const QString& word) {
  static const QRegularExpression plain(QStringLiteral("^[A-Za-z0-9_@%+=:,./-]+$"));
  if (plain.match(word).hasMatch()) return word;
  return u'\'' + QString(word).replace(u'\'', QStringLiteral("'\\''")) + u'\'';
}

void add(QStringList& words, const char* option, const QString& value) {
  if (!value.isEmpty()) words << QString::fromLatin1(option) << quoted(value);
}

QString count_or_empty(int value, int default_value) {
  return value == default_value ? QString() : QString::number(value);
}

}  // namespace

QString plan_command_line(const ui::ScenarioFields& fields) {
  QStringList words{QStringLiteral("dachlast"), QStringLiteral("plan")};
  add(words, "--model", fields.model);
  add(words, "--gpu", fields.device);
  add(words, "--context", QString::number(fields.context_tokens));
  add(words, "--batch", count_or_empty(fields.batch_size, 1));
  add(words, "--dtype", fields.weights);
  add(words, "--kv-dtype", fields.cache);
  add(words, "--tp", count_or_empty(fields.tensor_parallel, 1));
  add(words, "--pp", count_or_empty(fields.pipeline_parallel, 1));
  add(words, "--dp-attention", count_or_empty(fields.attention_data_parallel, 1));
  if (fields.experts == ui::ScenarioFields::Experts::kWhole) words << QStringLiteral("--expert-parallel");
  add(words, "--engine", fields.engine);
  add(words, "--memory-fraction",
      fields.memory_percent > 0 ? QStringLiteral("%1%").arg(fields.memory_percent) : QString());
  return words.join(u' ');
}

QString run_command_line(const ui::MeasureFields& fields) {
  QStringList words{QStringLiteral("dachlast"), QStringLiteral("run")};
  add(words, "--model", fields.model);
  add(words, "--context", fields.contexts);
  add(words, "--batch", fields.batches);
  add(words, "--dtype", fields.weights);
  add(words, "--kv-dtype", fields.cache);
  add(words, "--repeat", count_or_empty(fields.repeats, 0));
  add(words, "--kv", fields.layout);
  if (fields.spans == ui::MeasureFields::Spans::kEveryStep) words << QStringLiteral("--timeline");
  return words.join(u' ');
}

}  // namespace dachlast::gui
