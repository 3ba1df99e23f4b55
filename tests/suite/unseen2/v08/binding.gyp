{
  "targets": [
    {
      "target_name": "distance",
      "sources": ["native/distance.cc"],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
      "defines": ["NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc": ["-std=c++17", "-O2"],
    }
  ]
}
