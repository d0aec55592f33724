#pragma once

namespace dachlast {

/// Tokens that meet routed experts which whole ranks share out.
struct ExpertTraffic {
  double tokens = 0.0;
  double n_experts = 1.0;
  double active = 1.0;  // experts of a token
  double ranks = 1.0;   // that hold n_experts / ranks each
};

/// Experts of the busiest rank that at least one token goes to. A token leaves an expert out with probability 1 − s · active / n, s
/// its popularity over the mean:
///   experts · p + z(ranks) · sqrt(experts · p · (1 − p)),   p = mean over experts of 1 − (1 − s · active / n)^tokens
/// All ranks wait for the one with most of them.
double touched_experts(const ExpertTraffic& traffic);

/// Pairs of token and expert on the busiest rank: tokens · active / ranks and, as above, z times its spread.
double expert_rows(const ExpertTraffic& traffic);

/// Expected largest of `n` normal deviates, 0 for one.
/// Source   Blom 1958: the quantile (n − 0.375) / (n + 0.25); quantile by Abramowitz & Stegun 1964, 26.2.23
double largest_deviate(double n);

}  // namespace dachlast
