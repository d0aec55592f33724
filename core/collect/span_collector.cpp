#include "core/collect/span_collector.h"

#include <fmt/core.h>

#include <new>
#include <stdexcept>

#include "core/base/error.h"

namespace dachlast {

SpanCollector::SpanCollector(std::size_t capacity) : capacity_(capacity) {
  if (capacity == 0)
    throw Error(ErrorKind::kUsage, "span collector", "0 spans are no room to record in.", "Ask for 1 or more.");
  const auto refuse = [&] {
    throw Error(ErrorKind::kDoesNotFit, "span collector", fmt::format("There is no memory for {} spans.", capacity),
                "Ask for fewer.");
  };
  try {
    spans_.reserve(capacity);
  } catch (const std::bad_alloc&) {
    refuse();
  } catch (const std::length_error&) {
    refuse();
  }
}

void SpanCollector::start() {
  spans_.clear();
  n_dropped_ = 0;
  listening_ = true;
}

std::vector<trace::Span> SpanCollector::drain() {
  std::vector<trace::Span> drained = spans_;  // a copy: the reserved room stays here
  spans_.clear();
  return drained;
}

void SpanCollector::add(const trace::Span& span) {
  if (!listening_) return;
  if (spans_.size() == capacity_) {
    ++n_dropped_;
    return;
  }
  spans_.push_back(span);
}

}  // namespace dachlast
