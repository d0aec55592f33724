#pragma once

#include <stdexcept>
#include <string>

namespace dachlast {

/// What went wrong, coarse enough to choose an exit code by (UX.md §5).
enum class ErrorKind {
  kFailure,     // exit 1: the program could not do what was asked
  kUsage,       // exit 2: the request itself is wrong
  kDoesNotFit,  // exit 3: memory or limits refuse the configuration
  kDevice,      // exit 5: device or permission missing
  kInput,       // exit 6: a file or its content cannot be read
  kInterrupted  // exit 130: stopped by the user
};

/// The one exception of the project. Names the subject (a file, an option, a tensor), the reason and the way out.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, std::string subject, std::string reason, std::string way_out = {});

  ErrorKind kind() const { return kind_; }
  const std::string& subject() const { return subject_; }
  const std::string& reason() const { return reason_; }
  /// What the reader can do about it; empty where there is nothing to say.
  const std::string& way_out() const { return way_out_; }

 private:
  ErrorKind kind_;
  std::string subject_;
  std::string reason_;
  std::string way_out_;
};

}  // namespace dachlast
