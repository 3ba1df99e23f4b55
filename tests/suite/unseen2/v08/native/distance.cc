#include <algorithm>
#include <napi.h>
#include <numeric>
#include <string>
#include <vector>

// The edit distance of two words: one row of the table at a time.
static Napi::Value Distance(const Napi::CallbackInfo &info) {
  const std::u16string a = info[0].ToString().Utf16Value();
  const std::u16string b = info[1].ToString().Utf16Value();
  std::vector<unsigned> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (size_t i = 0; i < a.size(); i++) {
    unsigned diagonal = row[0];
    row[0] = static_cast<unsigned>(i + 1);
    for (size_t j = 0; j < b.size(); j++) {
      const unsigned kept = row[j + 1];
      row[j + 1] = std::min({kept + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0u : 1u)});
      diagonal = kept;
    }
  }
  return Napi::Number::New(info.Env(), row[b.size()]);
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("distance", Napi::Function::New(env, Distance));
  return exports;
}

NODE_API_MODULE(distance, Init)
