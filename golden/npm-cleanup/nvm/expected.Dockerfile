FROM debian:13
RUN curl -o- https://example.com/nvm.sh | bash && . ~/.nvm/nvm.sh && nvm install 22 && npm install -g yarn && npm cache clean --force
