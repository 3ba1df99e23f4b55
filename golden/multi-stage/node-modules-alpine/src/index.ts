import type { Format } from "morgan"
import express from "express"
express().listen(3000)
