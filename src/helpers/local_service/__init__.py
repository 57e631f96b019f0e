"""The local service: a server that speaks OpenAI's fine-tuning API and really trains a small model on this machine.

It is a program of its own. The rest of the kit reaches it over HTTP only; what it may import from here is `start`
(is one running? start one) and `cli` (the commands `serve` and `env`). Neither needs torch. README.md beside this file
says which endpoint lives where, how a job lives, and what the tables hold.
"""
