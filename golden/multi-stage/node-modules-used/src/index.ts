import express from "express"
if (process.env.LOG) require("morgan")
express().listen(3000)
