#include <napi.h>
#include <qrencode.h>
#include <xxhash.h>

#include <cstdio>
#include <string>

static Napi::Value Hash(const Napi::CallbackInfo& info) {
  std::string text = info[0].As<Napi::String>().Utf8Value();
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(XXH64(text.data(), text.size(), 0)));
  return Napi::String::New(info.Env(), out);
}

static Napi::Value Code(const Napi::CallbackInfo& info) {
  std::string text = info[0].As<Napi::String>().Utf8Value();
  QRcode* code = QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1);
  if (code == nullptr) {
    Napi::Error::New(info.Env(), "text is too long").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  std::string rows;
  for (int y = 0; y < code->width; y++) {
    for (int x = 0; x < code->width; x++) rows += code->data[y * code->width + x] & 1 ? '#' : '.';
    rows += '\n';
  }
  QRcode_free(code);
  return Napi::String::New(info.Env(), rows);
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("hash", Napi::Function::New(env, Hash));
  exports.Set("code", Napi::Function::New(env, Code));
  return exports;
}

NODE_API_MODULE(thumbprint, Init)
