#include "ui/widgets/scenario_form.h"

#include <gtest/gtest.h>

#include <QComboBox>
#include <QSignalSpy>
#include <QSlider>
#include <QSpinBox>

namespace dachlast::ui {
namespace {

ScenarioChoices choices() {
  return {.models = {"gpt2", "llama-3.1-8b"},
          .devices = {"a100", "h100"},
          .engines = {"vllm", "sglang"},
          .weights = {"bf16", "fp8"},
          .caches = {"bf16", "fp8"}};
}

ScenarioFields some_fields() {
  return {.model = "llama-3.1-8b",
          .device = "h100",
          .engine = "sglang",
          .weights = "fp8",
          .cache = "fp8",
          .context_tokens = 5000,
          .batch_size = 7,
          .tensor_parallel = 2,
          .pipeline_parallel = 3,
          .memory_percent = 85};
}

class ScenarioFormTest : public testing::Test {
 protected:
  ScenarioFormTest() : form_(choices()), spy_(&form_, &ScenarioForm::changed) {}
  template <class Control>
  Control* control(const QString& name) const {
    for (Control* child : form_.findChildren<Control*>())
      if (child->accessibleName() == name) return child;
    return nullptr;
  }
  ScenarioForm form_;
  QSignalSpy spy_;
};

TEST_F(ScenarioFormTest, FieldsReadBackAsTheyWereSetAndTellNobody) {
  form_.setFields(some_fields());
  EXPECT_EQ(form_.fields(), some_fields());
  EXPECT_EQ(spy_.count(), 0);
}

TEST_F(ScenarioFormTest, DefaultsReadAsEmpty) {
  ScenarioFields plain = some_fields();
  plain.device = plain.weights = plain.cache = QString();
  form_.setFields(plain);
  EXPECT_EQ(form_.fields().device, "");
  EXPECT_EQ(form_.fields().weights, "");
  EXPECT_EQ(form_.fields().cache, "");
}

TEST_F(ScenarioFormTest, TheSliderMovesTheFieldAndTellsOnce) {
  form_.setFields(some_fields());
  auto* slider = control<QSlider>("Context, tokens");
  ASSERT_NE(slider, nullptr);
  slider->setValue(12 * 16);  // 12 octaves of 16 steps: 2^12
  EXPECT_EQ(form_.fields().context_tokens, 4096);
  EXPECT_EQ(spy_.count(), 1);
}

TEST_F(ScenarioFormTest, TheSliderSnapsToPowersOfTwo) {
  auto* slider = control<QSlider>("Context, tokens");
  slider->setValue(13 * 16 + 1);
  EXPECT_EQ(form_.fields().context_tokens, 8192);
  slider->setValue(13 * 16 + 2);
  EXPECT_GT(form_.fields().context_tokens, 8192);
}

TEST_F(ScenarioFormTest, TheFieldTakesAnyNumber) {
  auto* field = control<QSpinBox>("Batch size");
  ASSERT_NE(field, nullptr);
  field->setValue(13);
  EXPECT_EQ(form_.fields().batch_size, 13);
  EXPECT_EQ(spy_.count(), 1);
}

TEST_F(ScenarioFormTest, TheModelsLimitEndsTheSlider) {
  form_.setContextLimit(2048);
  auto* slider = control<QSlider>("Context, tokens");
  slider->setValue(slider->maximum());
  EXPECT_EQ(form_.fields().context_tokens, 2048);
  EXPECT_EQ(control<QSpinBox>("Context, tokens")->maximum(), 2048);
}

TEST_F(ScenarioFormTest, AModelOutsideTheListIsTaken) {
  ScenarioFields fields = some_fields();
  fields.model = "/models/mine/config.json";
  form_.setFields(fields);
  EXPECT_EQ(form_.fields().model, "/models/mine/config.json");
}

TEST_F(ScenarioFormTest, EveryControlHasAName) {
  for (const QWidget* child : form_.findChildren<QWidget*>()) {
    const bool inner = qobject_cast<const QAbstractSpinBox*>(child->parent()) != nullptr ||
                       qobject_cast<const QComboBox*>(child->parent()) != nullptr;
    if (inner || child->focusPolicy() == Qt::NoFocus || !child->isVisibleTo(&form_)) continue;
    EXPECT_FALSE(child->accessibleName().isEmpty()) << child->metaObject()->className();
  }
}

}  // namespace
}  // namespace dachlast::ui
