#include "app/cli/commands.h"

namespace dachlast::cli {
namespace {

constexpr CommandRow kCommands[] = {
    {"run", "Measure a model on this computer and say what binds it",
     "  dachlast run --model stories-260k             # a real trained model, bundled\n"
     "  dachlast run --model gpt2 --context 128,512   # GPT-2's shape, random weights\n"
     "  dachlast run --model ./my-model --batch 1..8*2 # config.json and safetensors\n"
     "  dachlast run --model gpt2 --compare-uncached  # what the KV cache is worth\n"
     "  dachlast run --model llama-3.2-1b --dry-run   # time and memory beforehand\n",
     make_run_command},
    {"plan", "Predict memory and speed: does a model fit a device, at which context and batch, how fast",
     "  dachlast plan --model llama-3.1-8b --gpu h100 --context 32k --batch 8\n"
     "  dachlast plan --model llama-3.1-70b --gpu h100,h200 --tp 4 # compared\n"
     "  dachlast plan --model gpt-oss-20b --gpu l40s --max-batch    # one number\n"
     "  dachlast plan --model llama-3.1-8b --gpu h100 --sweep context,batch\n"
     "  dachlast plan --model ./model.gguf --gpu my-device.yaml -v  # with formulas\n",
     make_plan_command},
    {"advise", "Rank what would make a scenario faster, and say what would be wasted",
     "  dachlast advise --model llama-3.1-8b --gpu h100   # one request at a time\n"
     "  dachlast advise --model llama-3.1-8b --gpu h100 --context 32k --batch 16\n"
     "  dachlast advise --model llama-3.1-70b --gpu h100 --tp 4 --answer 64 --json\n"
     "  dachlast advise gpt2.dachlast                     # measured times as baseline\n"
     "  dachlast advise --model gpt2 --gpu this-machine --context 512 --verify\n",
     make_advise_command},
    {"recommend", "Choose devices, their number, types and parallelism for a load",
     "  dachlast recommend --model llama-3.1-70b --context 8k --concurrency 16\n"
     "  dachlast recommend --model qwen3-32b --gpus l40s,h100 --tpot 25ms --ttft 2s\n"
     "  dachlast recommend --model gpt-oss-120b --prices prices.csv --max-gpus 4\n"
     "  dachlast recommend --model llama-3.1-8b --show-rejected --chart pareto.svg\n",
     make_recommend_command},
    {"show", "Print a run file",
     "  dachlast show gpt2.dachlast                   # sentence, phases, operations\n"
     "  dachlast show gpt2.dachlast --view roofline   # the roofs it is held against\n",
     make_show_command},
    {"export", "Convert a run file to JSON, CSV, a chart as SVG or PNG, or a Chrome trace",
     "  dachlast export gpt2.dachlast --to json -o run.json\n"
     "  dachlast export gpt2.dachlast --to trace -o trace.json # opens in Perfetto\n"
     "  dachlast export gpt2.dachlast --to png --view phases -o phases.png\n"
     "  dachlast export gpt2.dachlast --to csv --view roofline -o roofline.csv\n",
     make_export_command},
    {"compare", "Compare runs with a baseline, noise included",
     "  dachlast compare base.dachlast new.dachlast\n"
     "  dachlast compare base.dachlast new.dachlast --fail-on decode:5%,prefill:10%\n",
     make_compare_command},
    {"report", "Write the report of a run, a comparison or a plan: one HTML or PDF file, readable offline",
     "  dachlast report gpt2.dachlast                 # writes gpt2.html\n"
     "  dachlast report new.dachlast --baseline base.dachlast --level summary\n"
     "  dachlast report --model llama-3.1-8b --gpu h100 --context 32k --lang de\n"
     "  dachlast report gpt2.dachlast --format pdf --title \"GPT-2 on two cores\"\n",
     make_report_command},
    {"calibrate", "Measure the roofs of this computer and store them",
     "  dachlast calibrate                            # some minutes\n"
     "  dachlast calibrate --roofs-only               # 15 seconds\n"
     "  dachlast calibrate --gpu cuda                 # roofs of a GPU\n"
     "  dachlast calibrate --json\n",
     make_calibrate_command},
    {"doctor", "Check what can be measured here and what stands in the way", "  dachlast doctor\n",
     make_doctor_command},
    {"models", "List, show or import the models the program knows",
     "  dachlast models                               # all of them\n"
     "  dachlast models show deepseek-v3              # layers, cache, parameters\n"
     "  dachlast models show ./model.gguf             # from its header\n"
     "  dachlast models import ./config.json --name my-model\n",
     make_models_command},
    {"gpus", "List, show or import the devices the program can plan for",
     "  dachlast gpus                                 # all of them\n"
     "  dachlast gpus --vendor nvidia --min-memory 80\n"
     "  dachlast gpus show h100                       # every figure with its source\n"
     "  dachlast gpus import my-device.yaml           # known by its id from then on\n",
     make_gpus_command},
    {"validate", "Predict published figures and say how well",
     "  dachlast validate memory_kv.csv               # errors by component\n"
     "  dachlast validate *.csv --worst 20\n"
     "  dachlast validate throughput.csv --json       # with every skipped figure\n",
     make_validate_command},
    {"attach", "Run any program that uses NVTX or CUDA and record its ranges and kernels",
     "  dachlast attach -- ./my-engine --model m.gguf # ranges of all its processes\n"
     "  dachlast attach -o run.dachlast -- python3 serve.py\n"
     "  dachlast attach --counters traffic -- ./my-engine # bytes of each GPU kernel\n"
     "  dachlast show run.dachlast                    # calls and times by name\n",
     make_attach_command},
    {"import", "Read what another profiler recorded and say where GPU time went",
     "  dachlast import trace.json.gz                 # PyTorch profiler\n"
     "  dachlast import report.sqlite --gpu h100      # nsys export --type sqlite\n"
     "  dachlast import details.csv --json            # ncu --csv --page details\n",
     make_import_command},
    {"completion", "Print the completion script of a shell",
     "  dachlast completion bash > ~/.local/share/bash-completion/completions/dachlast\n", make_completion_command},
    {"man", "Print a man page", "", make_man_command},
};

}  // namespace

std::span<const CommandRow> command_list() {
  return kCommands;
}

}  // namespace dachlast::cli
