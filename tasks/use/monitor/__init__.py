"""What arrived and was classified, period by period: how much of each label, what changed beyond chance, and in whose words.

posts.py      the answers to a followed folder as posts with a time, a topic and a label
changes.py    the share of a label in a period against the time before
summary.py    the period in sentences, each with the posts that it rests on
monitor.py    the stage: a summary for each period that is over
"""
