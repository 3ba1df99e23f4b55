{
  "targets": [
    {
      "target_name": "thumbprint",
      "sources": ["thumbprint.cc"],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
      "defines": ["NAPI_DISABLE_CPP_EXCEPTIONS"],
      "libraries": ["-lxxhash", "-lqrencode"]
    }
  ]
}
